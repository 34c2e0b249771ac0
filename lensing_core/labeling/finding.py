"""Identification of the candidates in the rows of a file of grades."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from lensing_core.labeling.grade_rows import GradeRow
from lensing_core.spreadsheets import unguarded
from lensing_core.store import Session
from lensing_core.store.candidates import NamedCandidate, candidates_named, placed_candidates
from lensing_core.store.catalogs import all_catalogs, find_catalogs

_IMAGE = re.compile(
    r"\.(?:fits?|fts|fz|png|jpe?g|webp|gif|bmp|tiff?|npy|npz|h5|hdf5)(?:\.(?:gz|bz2|xz|fz|zip))?$",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"([+-]?\d{1,15})\.0+")
_MOST_NAMED = 3
Place = int | str
"""Key of a candidate, or why there is none."""


def find_candidates(
    session: Session, rows: Sequence[GradeRow], catalogs: Sequence[str], radius_arcsec: float
) -> list[Place]:
    """Return the candidate of each row by its name, else by its position; or what is wrong.

    A name is looked for as it is; where no candidate bears it, without the apostrophe that guards
    a spreadsheet's cell, without folders and the suffix of an image file, and without the decimals
    that pandas gives to numbers. A position with two candidates in reach is told, not decided.

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    """
    chosen = find_catalogs(session, catalogs) if catalogs else all_catalogs(session)
    titles = {catalog.id: catalog.name for catalog in chosen}
    wanted = sorted({one for row in rows if row.name for one in spellings(row.name)})
    by_name = candidates_named(session, wanted, titles)
    places: list[Place] = [_by_name(row, by_name, titles) if row.name else "" for row in rows]
    unnamed = [k for k, row in enumerate(rows) if not row.name]
    if unnamed:
        near = _by_position(session, titles, [rows[k] for k in unnamed], radius_arcsec)
        for k, place in zip(unnamed, near, strict=True):
            places[k] = place
    return places


def spellings(name: str) -> Iterator[str]:
    """Yield the names that a file's name for an object may stand for, the likeliest first."""
    seen = set()
    unguarded_name = unguarded(name)
    base = (
        PurePosixPath(unguarded_name.replace("\\", "/")).name
        if _IMAGE.search(unguarded_name)
        else unguarded_name
    )
    whole = _WHOLE.fullmatch(unguarded_name)
    for one in (
        name,
        unguarded_name,
        _IMAGE.sub("", unguarded_name),
        base,
        _IMAGE.sub("", base),
        whole and whole[1],
    ):
        if one and one not in seen:
            seen.add(one)
            yield one


def _by_name(
    row: GradeRow, by_name: dict[str, list[NamedCandidate]], titles: dict[int, str]
) -> Place:
    places = next((by_name[one] for one in spellings(row.name) if one in by_name), [])
    if len(places) > 1 and row.catalog:
        places = [one for one in places if titles[one.catalog_id] == row.catalog] or places
    if len(places) == 1:
        return places[0].id
    if places:
        return f"{len(places)} catalogs have an object {row.name!r}; name one catalog."
    return f"no candidate is called {row.name!r}."


def _by_position(
    session: Session, titles: dict[int, str], rows: Sequence[GradeRow], radius_arcsec: float
) -> list[Place]:
    """Return the only candidate within the radius of each row."""
    from scipy.spatial import cKDTree  # here: most files name their objects

    known = placed_candidates(session, titles)
    if not known:
        return [f"no candidate lies within {radius_arcsec:g} arcsec." for _ in rows]
    sky = np.array([(one.ra_deg, one.dec_deg) for one in known], dtype=np.float64)
    asked = np.array([(row.ra_deg, row.dec_deg) for row in rows], dtype=np.float64)
    places = _unit(*sky.T)
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    near = cKDTree(places).query_ball_point(_unit(*asked.T), chord)
    result: list[Place] = []
    for row, (ra, dec), within in zip(_unit(*asked.T), asked, near, strict=True):
        if len(within) == 1:
            result.append(int(known[within[0]].id))
            continue
        if not within:
            result.append(
                f"no candidate lies within {radius_arcsec:g} arcsec of {ra:.5f}, {dec:+.5f} deg."
            )
            continue
        apart = {k: _arcsec(row, places[k]) for k in within}
        nearest = sorted(apart, key=lambda k: apart[k])
        said = ", ".join(
            f"{titles[known[k].catalog_id]}/{known[k].object_id} at {apart[k]:.2f} arcsec"
            for k in nearest[:_MOST_NAMED]
        )
        more = f" and {len(nearest) - _MOST_NAMED} more" if len(nearest) > _MOST_NAMED else ""
        result.append(
            f"{len(nearest)} candidates lie within {radius_arcsec:g} arcsec of {ra:.5f}, "
            f"{dec:+.5f} deg: {said}{more}; name one catalog, give a smaller radius, or object ids."
        )
    return result


def _arcsec(one: Any, other: Any) -> float:
    return float(np.degrees(2 * np.arcsin(np.linalg.norm(one - other) / 2)) * 3600)


def _unit(ra_deg: Any, dec_deg: Any) -> Any:
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
