"""No key of Review does two things, and every key has words that say what it does."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

APP = Path(__file__).parent.parent.parent.parent / "app"
_ENTRY = re.compile(
    r"\{keys: \[(.*?)\],\s*shown: (\".*?\"), action: \"(\w+)\", text: (\".*?\")\}", re.S
)


def entries() -> list[tuple[list[str], str]]:
    """Keys and action of every entry of the sections that the view puts together."""
    view = (APP / "review" / "view.js").read_text()
    sections = re.search(r"new Keyboard\(\s*\[(.*?)\]", view, re.S).group(1)
    names = [name.strip() for name in sections.split(",")]
    source = "".join(path.read_text() for path in sorted(APP.glob("[rvw]*/*.js")))
    found = []
    for name in names:
        body = re.search(rf"const {name} = \{{(.*?)\n\]\}}", source, re.S).group(1)
        assert body.count("{keys:") == len(_ENTRY.findall(body)), (
            f"{name} has an entry without words"
        )
        for keys, _, action, _ in _ENTRY.findall(body):
            spread = re.search(r'\.\.\."(.*?)"', keys)
            found.append((list(spread[1]) if spread else re.findall(r'"(.*?)"', keys), action))
    return found


def test_no_key_does_two_things() -> None:
    found = entries()
    assert len(found) > 40
    counts = Counter(key for keys, _ in found for key in keys)
    assert [key for key, n in counts.items() if n > 1] == []
    assert [a for a, n in Counter(action for _, action in found).items() if n > 1] == []
