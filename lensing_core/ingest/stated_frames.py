"""Frames of positions that tables state in comments and keywords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lensing_core.ingest.sky_names import normal

_KEYS = (
    *("radesys", "radecsys", "coosys", "coordsys", "coordinatesystem", "coordframe"),
    *("coordinateframe", "refframe", "skyframe", "frame", "equinox"),
)
_COMMENT = re.compile(r"([A-Za-z_ ]{3,20}?)\s*(?:[:=]|\t)\s*(.+)")
_LABEL = re.compile(r"(\w+)\s*:\s*(.+)")


def frame_of_meta(meta: Mapping[Any, Any]) -> str:
    """The frame that keywords of a table state, as words; empty if none."""
    found: dict[str, str] = {}
    for key, value in _flat(meta):
        if normal(key) in _KEYS and isinstance(value, str | int | float):
            found.setdefault(normal(key), str(value).strip().strip("'\""))
    comments = meta.get("comments") or []
    for key, value in _spoken(map(str, comments)):
        found.setdefault(key, value)
    return _joined(found)


def _joined(found: Mapping[str, str]) -> str:
    system = next((found[key] for key in _KEYS[:-1] if found.get(key)), "")
    equinox = found.get("equinox", "")
    if not equinox or re.search(r"\d{4}", system):
        return system
    return f"{system} equinox={equinox}".strip()


def _flat(meta: Mapping[Any, Any]) -> Iterable[tuple[str, Any]]:
    """Keywords with those of IPAC tables, which stand one level deeper."""
    for key, value in meta.items():
        if isinstance(value, Mapping):
            for inner, deep in value.items():
                yield str(inner), deep.get("value") if isinstance(deep, Mapping) else deep
        else:
            yield str(key), value


def _spoken(comments: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Keys of :data:`_KEYS` with their values in comments such as ``frame: galactic``."""
    for comment in comments:
        match = _COMMENT.fullmatch(comment.strip())
        if match is not None and normal(match[1]) in _KEYS:
            yield normal(match[1]), match[2].strip().strip("'\"")


def frames_of_comments(comments: Sequence[str], names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The frame that comments above a table state for all columns, and those for single ones.

    VizieR writes one line a system, with a label that names of columns hold:
    ``#Coosys<tab>J2000:<tab>eq_FK5 J2000``.
    """
    systems: dict[str, str] = {}
    other: dict[str, str] = {}
    for key, value in _spoken(comments):
        labeled = _LABEL.fullmatch(value) if key == "coosys" else None
        if labeled is not None:
            systems[labeled[1]] = labeled[2].strip()
        else:
            other.setdefault(key, value)
    frames = {
        name: system
        for label, system in systems.items()
        for name in names
        if len(systems) > 1 and normal(label) in normal(name)
    }
    if len(set(systems.values())) == 1:
        return next(iter(systems.values())), frames
    return _joined(other), frames
