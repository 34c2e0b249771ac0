"""Patterns of file names, guessed from the names alone: which part is the object, which the band.

Nothing is opened. A :class:`Reading` is one way to read a listing; where names allow several, all
are returned, for the user to choose from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lensing_core.ingest.file_names import (
    BAND,
    BandNames,
    common_ending,
    core_of,
    find_band_texts,
    image_ending,
    image_stem,
    is_generic,
    replace_word,
)
from lensing_core.ingest.locators import fields_in

_RIVAL = 0.5  # share of the best reading's files that makes another one its rival
_ID = "{id}"


@dataclass(frozen=True)
class Reading:
    """One way to read names of files.

    Attributes
    ----------
    pattern : str
        Empty: each file is an object of its own.
    texts : tuple of str
        What ``{band}`` stands for.
    files : tuple of str
        Those that it reads.
    n_objects : int
    """

    pattern: str
    texts: tuple[str, ...]
    files: tuple[str, ...] = field(repr=False)
    n_objects: int

    @property
    def text(self) -> str:
        """Text for users: ``{id}_{band}.fits: 12 objects in g, r``."""
        what = f"{self.n_objects:,} object{'' if self.n_objects == 1 else 's'}"
        bands = f" in {', '.join(self.texts)}" if self.texts else ""
        return f"{self.pattern or 'each file an object'}: {what}{bands}"


def _rivals(readings: Sequence[Reading], *, files_decide: bool) -> list[Reading]:
    """The best reading, and those that read nearly as many objects otherwise.

    Parameters
    ----------
    files_decide : bool
        Whether two patterns of the same files come to the same.
    """
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda reading: -reading.n_objects):
        if kept and reading.n_objects < _RIVAL * kept[0].n_objects:
            break
        files = set(reading.files)
        is_part = any(files < set(other.files) for other in kept)
        is_same = any(
            files == set(other.files) and (files_decide or reading.pattern == other.pattern)
            for other in kept
        )
        if not is_part and not is_same:
            kept.append(reading)
    return kept


def readings_without_table(images: Sequence[str], bands: Iterable[str]) -> list[Reading]:
    """Ways to read files as objects without a table, the likeliest first.

    Parameters
    ----------
    images : sequence of str
        Names of the image files (no noise maps, no masks), relative to their folder, with ``/``.
    bands : iterable of str
        What bands may be called; none: names have no bands.

    Returns
    -------
    list of Reading
        One where names are clear, several where they are not.
    """
    found = [reading for banded in find_band_texts(images, bands) for reading in _of_bands(banded)]
    if found:
        return _rivals(found, files_decide=False)
    return _without_bands(images)


def _of_bands(banded: BandNames) -> list[Reading]:
    return [_reading(pattern, keys, banded) for pattern, keys in _patterns_of(list(banded.of_key))]


def _reading(pattern: str, keys: Sequence[str], banded: BandNames) -> Reading:
    files = [name for key in keys for name in banded.of_key[key].values()]
    texts = dict.fromkeys(text for key in keys for text in banded.of_key[key])
    return Reading(pattern, tuple(texts), tuple(files), len(keys))


def _without_bands(images: Sequence[str]) -> list[Reading]:
    """Each file as an object; files that are called alike in all folders by their folders."""
    whole = Reading("", (), tuple(images), len(images))
    if len(images) == 1 and is_generic(image_stem(images[0])):
        return [Reading(pattern, (), tuple(images), 1) for pattern, _ in _patterns_of(images)]
    folders = defaultdict(set)
    for name in images:
        folder, _, file = name.rpartition("/")
        folders[folder].add(file)
    of_file = Counter(file for files in folders.values() for file in files)
    same = [file for file, count in of_file.items() if count > 1]
    if (
        len(folders) < 2
        or len(of_file) >= len(folders)
        or 2 * sum(of_file[file] for file in same) < len(images)
    ):
        return [whole]
    found = []
    for file in same:
        keys = [name for name in images if name.rpartition("/")[2] == file]
        patterns = _patterns_of(keys)
        found += [Reading(pattern, (), tuple(of), len(of)) for pattern, of in patterns]
    return _rivals(found, files_decide=False) or [whole]


def _patterns_of(keys: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Patterns with the keys that each fits, for every depth of folders the best."""
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for key in keys:
        groups[key.count("/"), image_ending(key).lower()].append(key)
    return [pattern for group in groups.values() for pattern in _patterns_of_depth(group)]


def _patterns_of_depth(keys: Sequence[str]) -> list[tuple[str, list[str]]]:
    depth = keys[0].count("/")
    parts = [key.split("/") for key in keys]
    varies = [len({row[k] for row in parts}) > 1 for k in range(depth)]
    best: dict[str, list[str]] = {}
    for place in (depth, *range(depth)):  # the file's own name, then folders from the top
        if len(keys) > 1 and place < depth and not varies[place]:
            continue
        cores = [core_of(image_stem(row[place]) if place == depth else row[place]) for row in parts]
        ending = common_ending(cores)
        cores = [core.removesuffix(ending) for core in cores]
        for open_folders in (True, False):
            valid = _patterns_of_cores(keys, parts, cores, varies if open_folders else ())
            if max(map(len, valid.values()), default=0) > max(map(len, best.values()), default=0):
                best = valid
    if not best and len(keys) == 1:  # one object, whose name is the folder's
        best = {keys[0]: list(keys)}
    most = max(map(len, best.values()), default=0)
    return [(pattern, of) for pattern, of in best.items() if len(of) >= _RIVAL * most]


def _patterns_of_cores(
    keys: Sequence[str],
    parts: Sequence[Sequence[str]],
    cores: Sequence[str],
    varies: Sequence[bool],
) -> dict[str, list[str]]:
    """Keys by pattern, where the objects are called by cores of names and all differ."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    doubled = set()
    for key, row, core in zip(keys, parts, cores, strict=True):
        if core and not is_generic(core):
            pattern = _pattern(row, core, varies)
            if core in found[pattern]:
                doubled.add(pattern)
            found[pattern][core] = key
    return {
        pattern: list(of.values())
        for pattern, of in found.items()
        if pattern not in doubled and _ID in pattern
    }


def _pattern(parts: Sequence[str], core: str, varies: Sequence[bool]) -> str:
    """The name with ``{id}`` for ``core``, and further names for folders that vary."""
    made, n_folders = [], 0
    for k, part in enumerate(parts):
        changed = replace_word(part, core, _ID)
        own = core_of(part)
        if changed == part and k < len(varies) and varies[k] and own:
            n_folders += 1
            name = "{folder}" if n_folders == 1 else f"{{folder{n_folders}}}"
            changed = replace_word(part, own, name)
        made.append(changed)
    return "/".join(made)


def readings_of_table(
    images: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    id_column: str | None,
    bands: Iterable[str],
) -> list[Reading]:
    """Ways in which the first rows of a table can name their files, the likeliest first.

    Parameters
    ----------
    images : sequence of str
        As in :func:`readings_without_table`.
    rows : sequence of dict of str to str
        Cells of the first rows as they stand there, by column; numbers that are no ids left out.
    id_column : str or None
        Column of ids, which is ``{id}`` in patterns.

    Returns
    -------
    list of Reading
        None where no cell is part of a name.
    """
    found: list[Reading] = []
    bandings = find_band_texts(images, bands) or [BandNames({})]
    for banded in bandings:
        found += _of_rows(images, rows, id_column, banded)
    return _rivals(found, files_decide=True)


def _of_rows(
    images: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    id_column: str | None,
    banded: BandNames,
) -> list[Reading]:
    in_bands = {name for files in banded.of_key.values() for name in files.values()}
    keys = [*banded.of_key, *(name for name in images if name not in in_bands)]
    by_word = _by_word(keys)
    columns = _telling_columns(rows, id_column)
    of_pattern: dict[str, dict[int, str]] = defaultdict(dict)
    for number, row in enumerate(rows):
        for column in columns:
            value = row.get(column, "")
            word = _first_word(value)
            for key in by_word.get(word, ()) if word else ():
                for pattern in _patterns_of_row(key, column, row, id_column):
                    of_pattern[pattern].setdefault(number, key)
    readings: dict[tuple[str, ...], Reading] = {}
    for pattern, hits in sorted(of_pattern.items(), key=lambda item: _simplicity(item[0])):
        files = tuple(f for key in hits.values() for f in _files_of(key, banded))
        texts = {text: None for key in hits.values() for text in banded.of_key.get(key, {})}
        readings.setdefault(files, Reading(pattern, tuple(texts), files, len(hits)))
    return list(readings.values())


def _files_of(key: str, banded: BandNames) -> tuple[str, ...]:
    return tuple(banded.of_key[key].values()) if key in banded.of_key else (key,)


def _simplicity(pattern: str) -> tuple[bool, int, str]:
    """Order of patterns that read the same files: by the id, with few columns."""
    return _ID not in pattern, pattern.replace(BAND, "").count("{"), pattern


def _patterns_of_row(
    key: str, column: str, row: Mapping[str, str], id_column: str | None
) -> list[str]:
    """Patterns by which a row's cell names a file; also with folders that other cells name."""
    mark = _ID if column == id_column else f"{{{column}}}"
    pattern = replace_word(key, row[column], mark)
    if pattern == key:
        return []
    patterns = [pattern]
    *folders, file = pattern.split("/")
    by_cell = {cell: name for name, cell in row.items() if name != column}
    named = [f"{{{by_cell[part]}}}" if part in by_cell else part for part in folders]
    if named != folders:
        patterns.append("/".join([*named, file]))
    return patterns


def _telling_columns(rows: Sequence[Mapping[str, str]], id_column: str | None) -> list[str]:
    """Columns whose cells tell rows apart, that of ids (even where some stand twice) first."""
    names = dict.fromkeys(name for row in rows for name in row if not set(name) & set("{}"))
    telling = [
        name
        for name in names
        if name == id_column
        or len({row[name] for row in rows if row.get(name)})
        >= 0.9 * sum(bool(row.get(name)) for row in rows)
    ]
    return sorted(telling, key=lambda name: name != id_column)


def _first_word(text: str) -> str:
    """The first run of ASCII letters and digits; names are looked up by it."""
    word = ""
    for letter in text:
        if letter.isascii() and letter.isalnum():
            word += letter
        elif word:
            break
    return word


def _by_word(keys: Iterable[str]) -> dict[str, list[str]]:
    """Keys by the words that they hold."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        plain = "".join(c if c.isascii() and c.isalnum() else " " for c in key)
        for word in dict.fromkeys(plain.split()):
            found[word].append(key)
    return found


def companion_pattern(pattern: str, images: Sequence[str], companions: Sequence[str]) -> str:
    """The pattern of noise maps or PSFs beside images of a pattern; '' where most have none.

    Parameters
    ----------
    images : sequence of str
        Some image files of the pattern.
    companions : sequence of str
        All files that may be noise maps, or PSFs.
    """
    if not images:
        return ""
    objects = fields_in(pattern, images[0])
    there = set(companions)
    folder = images[0].rpartition("/")[0]
    near = [name for name in companions if name.rpartition("/")[0] == folder]
    votes: Counter[str] = Counter()
    for name in near:
        made = name
        for mark, text in sorted(objects.items(), key=lambda item: -len(item[1])):
            made = replace_word(made, text, f"{{{mark}}}")
        votes[made] += sum(_filled(made, pattern, image) in there for image in images)
    if not votes:
        return ""
    best, count = votes.most_common(1)[0]
    return best if 2 * count > len(images) else ""


def _filled(companion: str, pattern: str, image: str) -> str:
    """The companion of an image, by the fields that the pattern finds in its name."""
    for mark, text in fields_in(pattern, image).items():
        companion = companion.replace(f"{{{mark}}}", text)
    return companion
