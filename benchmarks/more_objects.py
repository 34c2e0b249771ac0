"""Objects that benchmarks add to a search: labeled lenses, simulations, pictures as of stamps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from runs_here import candidates_of

from lens_triage.training.defaults import run_once
from lens_triage.training.jobs.search.sets import SearchData
from lens_triage.training.real_sky import SkyObjects, write_objects
from lens_triage.training.settings import SimulateSettings
from lensing_core.arrays import BoolArray, Float32Array, IntArray
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.ingest.geometry import regrid
from lensing_core.store import open_database
from lensing_core.store.catalogs import catalog_named
from lensing_core.workspace import Workspace

STAMP_SCALE_ARCSEC = 30 / 464
"""Pixel scale of the graded stamps of Space Warps, which are pictures of 0.187" enlarged."""
STAMPS = "-as-stamps"


def as_stamps(pixels: Float32Array, scale_arcsec: float) -> Float32Array:
    """Pictures enlarged as the graded stamps were, then brought back as those are at import.

    Stamps were enlarged linearly: their power spectra vanish at the frequency of the original
    pixels, as linear interpolation makes them, and rise again above it.

    Parameters
    ----------
    pixels : ndarray of shape (n, 3, y, x)
        Levels from 0 to 255.
    """
    size = pixels.shape[-1]
    large = round(size * scale_arcsec / STAMP_SCALE_ARCSEC)
    enlarged_scale = size * scale_arcsec / large
    out = np.empty_like(pixels)
    for at in np.ndindex(pixels.shape[:2]):
        picture = Image.fromarray(pixels[at].astype(np.float32))
        enlarged = np.asarray(picture.resize((large, large), Image.Resampling.BILINEAR))
        levels = np.round(np.clip(enlarged, 0, 255)).astype(np.float32)
        out[at] = regrid(levels, enlarged_scale, size, scale_arcsec)
    return out * np.float32((enlarged_scale / scale_arcsec) ** 2)


def write_as_stamps(workspace: Workspace, catalog: str) -> str:
    """Make a copy of a catalog of pictures with :func:`as_stamps`, unless it is there; its name."""
    name = f"{catalog}{STAMPS}"
    with open_database(workspace).session() as session:
        there = catalog_named(session, name)
        if there is not None and there.complete:
            return name
        rows = candidates_of(session, catalog)
        names = [row.object_id for row in rows]
        place = [(row.ra_deg, row.dec_deg) for row in rows]
    store = CutoutStore(workspace.catalog_cutouts(catalog))
    pixels = as_stamps(store.read_many(np.arange(len(store))), store.geometry.pixel_scale_arcsec)
    places = np.array([[np.nan if v is None else v for v in p] for p in place], dtype=float)
    nobody = np.zeros(len(names), dtype=bool)
    write_objects(workspace, name, store.geometry, SkyObjects(pixels, names, places, nobody))
    return name


def simulated(workspace: Workspace, geometry: CutoutGeometry, n: int, *, lenses: bool) -> str:
    """Simulate galaxies with arcs, or others, in the pixels of a survey; name of their catalog."""
    settings = SimulateSettings(
        catalog=f"simulated-{'lenses' if lenses else 'others'}-{n}",
        survey=geometry.survey,
        bands=[] if geometry.pixel_kind == "rendered" else list(geometry.bands),
        pixels=geometry.pixel_kind,
        size_arcsec=geometry.size_px * geometry.pixel_scale_arcsec,
        n_objects=n,
        lens_fraction=float(lenses),
        artifact_fraction=0.0,
        seed=11 + lenses,
        device="cpu",
    )
    run_once(workspace, settings)
    return settings.catalog


def with_labels(data: SearchData, state: np.ndarray, fold: IntArray) -> SearchData:
    """A search with others of known ``state`` after its objects; they train, halved by fold."""
    n = len(state)
    return _joined(data, state=state, half=fold % 2, known=np.zeros(n, dtype=bool))


def with_simulated_lenses(data: SearchData) -> tuple[SearchData, int]:
    """A search whose arcs are simulated with their galaxies, as many as were painted in each set.

    After its objects come the lenses, set by set, then as many other simulated objects, which take
    the part of the galaxies without arcs. Also returns the number of lenses.
    """
    trains = data.painted & (data.split == "train")
    number = data.set_number[trains]
    n = len(number)
    left = replace(data, split=np.where(trains, "reserved", data.split).astype(data.split.dtype))
    joined = _joined(
        left,
        state=np.repeat([LENS, UNLABELED], n),
        half=np.tile(data.half[trains], 2),
        known=np.repeat([False, True], n),
        set_number=np.concatenate([number, np.zeros(n, dtype=np.int64)]),
        parent=len(data) + n + np.tile(np.arange(n), 2),
    )
    return joined, n


def with_simulated_field(data: SearchData) -> tuple[SearchData, int]:
    """A search whose unlabeled objects that train, but for galaxies to paint on, are simulated.

    After its objects come as many simulated ones as there were; also returns their number.
    """
    trains = data.painted & (data.split == "train")
    hosts = np.isin(np.arange(len(data)), data.parent[trains])
    gone = (data.split == "train") & data.unlabeled & ~hosts
    n = int(gone.sum())
    joined = _joined(
        replace(data, known=data.known | gone),
        state=np.full(n, UNLABELED),
        half=data.half[gone],
        known=np.zeros(n, dtype=bool),
    )
    return joined, n


def _joined(
    data: SearchData,
    *,
    state: np.ndarray,
    half: IntArray,
    known: BoolArray,
    set_number: IntArray | None = None,
    parent: IntArray | None = None,
) -> SearchData:
    """A search with more objects after its own, all of the training split, each its own group."""
    n, old = len(state), data.labels
    ends = {
        "candidate_id": -1 - np.arange(n),
        "catalog_id": np.zeros(n),
        "row": np.arange(n),
        "ra_deg": np.full(n, np.nan),
        "dec_deg": np.full(n, np.nan),
        "state": state,
        "imported": np.ones(n, dtype=bool),
        "weight": np.ones(n),
        "reason": np.zeros(n),
        "graded": np.zeros(n, dtype=bool),
    }
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(old, name), np.asarray(values, getattr(old, name).dtype)])
        for name, values in ends.items()
    }
    labels = replace(old, **arrays, object_id=[*old.object_id, *map(str, range(n))])
    own = len(data) + np.arange(n)
    return SearchData(
        labels,
        np.concatenate([data.set_number, np.zeros(n, int) if set_number is None else set_number]),
        np.concatenate([data.parent, own if parent is None else parent]),
        np.concatenate([data.group, data.group.max() + 1 + np.arange(n)]),
        np.concatenate([data.split, np.full(n, "train", dtype=data.split.dtype)]),
        np.concatenate([data.half, half]),
        np.concatenate([data.known, known]),
        data.with_blocks,
    )
