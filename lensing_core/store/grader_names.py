"""Names of graders: which letters they may have, and which of them look alike.

The rule, after Unicode's UTS 39 ("highly restrictive", and its skeletons):

1. Letters, marks, digits, spaces and the signs of ASCII; nothing that has no shape of its own
   (controls, zero-width and bidirectional characters, unassigned and private ones), and no letter
   that stands for another one (NFKC changes it: full-width letters, ligatures).
2. Three marks on a letter at most, and a mark never begins a word.
3. Letters of one script, or Latin with those of Chinese, Japanese or Korean.
4. Two names that look alike (:func:`skeleton`) are one name: the second is refused.
"""

from __future__ import annotations

import unicodedata

from lensing_core.errors import BadInputError

MOST_LETTERS = 120
_SIGNS = frozenset(c for c in map(chr, range(0x21, 0x7F)) if not c.isalnum()) | {"’"}
_MOST_MARKS = 3
# Letters and marks that are drawn as nothing: fillers, joiners and selectors of variants.
_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
        *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
    )
    for code in range(first, last + 1)
)
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
# Small letters that, or whose capitals, are drawn like a Latin one: each pair is letter and Latin.
_CYRILLIC = "аa вb гr еe іi їï јj кk мm нh оo пn рp сc тt уy хx ѕs һh ћh ԁd ԛq ԝw ѵv ьb ӏl"
_GREEK = "αa βb γy εe ζz ηn ιi κk μm νv οo ρp τt υu χx ωw ϲc ϳj"
_ARMENIAN = "օo սu ցg հh ոn զq"
_LATIN = "ıi ɩi ɑa ɡg ɪi 0o 1l"
_PAIRS = f"{_CYRILLIC} {_GREEK} {_ARMENIAN} {_LATIN}".split(" ")
_LOOKS_LIKE = str.maketrans({pair[0]: pair[1] for pair in _PAIRS})


def clean_name(name: str) -> str:
    """Return a name as it is kept: composed (NFC), one space between words.

    Raises
    ------
    BadInputError
        If it is empty, longer than 120 letters, or breaks a rule of this module.
    """
    text = unicodedata.normalize("NFC", " ".join(word for word in name.split(" ") if word))
    shown = _shown(text)
    if not 0 < len(text) <= MOST_LETTERS:
        raise BadInputError(f"Grader name {shown}: give 1 to {MOST_LETTERS} letters.")
    for letter in text:
        _check_letter(letter, shown)
    _check_marks(text, shown)
    _check_scripts(text, shown)
    return text


def skeleton(name: str) -> str:
    """Return what names that look alike have in common.

    Case, letters of other scripts that are drawn alike, ``0`` and ``o``, ``1``, ``i`` and ``l``,
    ``rn`` and ``m``, ``vv`` and ``w``, and spaces and signs do not count.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    folded = "".join(str(unicodedata.decimal(c, c)) for c in folded).translate(_LOOKS_LIKE)
    folded = folded.replace("rn", "m").replace("vv", "w").replace("i", "l")
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")


def _check_letter(letter: str, shown: str) -> None:
    kind = unicodedata.category(letter)
    is_sign = kind[0] not in "LMN" and letter != " " and letter not in _SIGNS
    if is_sign or letter in _INVISIBLE:
        raise BadInputError(
            f"Grader name {shown}: the character U+{ord(letter):04X} "
            f"({unicodedata.name(letter, 'without a name')}) has no place in a name; "
            "use letters, digits, spaces and signs like . - _"
        )
    if unicodedata.normalize("NFKC", letter) != letter or kind in ("Nl", "No", "Me"):
        raise BadInputError(
            f"Grader name {shown}: U+{ord(letter):04X} ({unicodedata.name(letter, '?')}) stands "
            "for another letter; write that letter."
        )


def _check_marks(text: str, shown: str) -> None:
    run, after_letter = 0, False
    for letter in unicodedata.normalize("NFD", text):
        if unicodedata.category(letter)[0] == "M":
            run += 1
            if run > _MOST_MARKS or not after_letter:
                raise BadInputError(
                    f"Grader name {shown}: a letter has {_MOST_MARKS} marks at most, and a mark "
                    "stands on a letter."
                )
        else:
            run, after_letter = 0, unicodedata.category(letter)[0] == "L"


def _check_scripts(text: str, shown: str) -> None:
    scripts = {
        unicodedata.name(letter, "?").split(" ")[0]
        for letter in text
        if unicodedata.category(letter)[0] == "L"
    }
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        names = ", ".join(sorted(script.capitalize() for script in scripts))
        raise BadInputError(
            f"Grader name {shown}: its letters are of several scripts ({names}); use one."
        )
    if not any(unicodedata.category(letter)[0] in "LN" for letter in text):
        raise BadInputError(f"Grader name {shown}: give a letter or a digit.")


def _shown(text: str) -> str:
    """The beginning of a name with every character visible."""
    return ascii(text[:20]) if not text.isprintable() else repr(text[:20])
