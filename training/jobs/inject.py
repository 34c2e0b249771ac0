"""The job that paints arcs into the real cutouts of a catalog."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.jobs.hosts import Painter, choose_hosts, galaxies_to_paint, painter_of
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import InjectSettings
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import INJECTION_NOTE, PAINTED_SUFFIX
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.simulation.injection import Painted
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.hosts import candidates_by_id
from lensing_core.store.tables import Candidate
from lensing_core.surveys import Survey, get_survey
from lensing_core.workspace import Workspace

__all__ = ["BATCH", "galaxies_to_paint", "run"]
BATCH = 64
HOSTS = "hosts.json"


def run(
    context: JobContext,
    settings: InjectSettings,
    *,
    without: IntArray | None = None,
) -> dict[str, Any]:
    """Make the catalog that ``settings`` describe; goes on where an earlier attempt stopped.

    Parameters
    ----------
    without : ndarray of int64, optional
        Ids of candidates that are not to be painted on.
    """
    opened = open_painted(context.workspace, settings.source, settings.catalog, settings.to_json())
    store, writer = opened.store, opened.writer
    if writer.complete:
        return _result(settings, writer)
    ids, rows = stored_hosts(context, settings, opened, without)
    painter = painter_of(settings, store, opened.survey, rows)
    for start in range(writer.rows_read, len(ids), BATCH):
        context.progress(start, len(ids), "Painting arcs")
        stop = min(start + BATCH, len(ids))
        pixels, made = _batch(context, settings, painter, store, ids[start:stop], start)
        writer.append(pixels, made, rows_read=stop)
    unpainted = len(ids) - writer.n_written // (2 if settings.paired else 1)
    writer.finish(unpainted=unpainted, galaxies=len(ids) - unpainted)
    context.progress(len(ids), len(ids), "Done")
    if unpainted:
        context.log(
            f"{unpainted:,} galaxies were left out: no detectable arc could be painted around them."
        )
    return _result(settings, writer, galaxies=len(ids) - unpainted, left_out=unpainted)


@dataclass(frozen=True)
class PaintedCatalog:
    """Catalog of painted arcs that is being made, with the catalog whose galaxies it uses.

    Attributes
    ----------
    source_id : int
    survey : Survey
        Of the source.
    store : CutoutStore
        Cutouts of the source.
    writer : CatalogWriter
        Writes the new catalog, from where an earlier attempt stopped.
    """

    source_id: int
    survey: Survey
    store: CutoutStore
    writer: CatalogWriter


def open_painted(
    workspace: Workspace, source: str, name: str, note: Mapping[str, Any]
) -> PaintedCatalog:
    """Open the catalog ``name`` of arcs painted onto ``source``, or begin it.

    Parameters
    ----------
    note : mapping
        Settings that its pixels depend on, as plain JSON.

    Raises
    ------
    BadInputError
        If the catalog exists with other settings.
    NotFoundError
        If there is no catalog ``source``.
    """
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, source)
        source_id, survey_name, scale = catalog.id, catalog.survey.name, catalog.scale
    survey = get_survey(survey_name, workspace)
    store = CutoutStore(workspace.catalog_cutouts(source))
    writer = CatalogWriter(
        workspace,
        CatalogSpec(
            name,
            store.geometry,
            survey.to_json(),
            scale=scale,
            origin="simulated",
            label_source=f"inject:{source}",
            notes={INJECTION_NOTE: note},
        ),
    )
    if writer.notes.get(INJECTION_NOTE) != note:
        raise BadInputError(f"Catalog {name} exists with other settings; choose another name.")
    return PaintedCatalog(source_id, survey, store, writer)


def typical_fwhm_arcsec(store: CutoutStore, survey: Survey) -> float:
    """Median over the bands of the cutouts' PSF; the survey's where the catalog does not say."""
    own = np.array(store.geometry.psf_fwhm_arcsec)
    if np.isfinite(own).any():
        return float(np.nanmedian(own))
    return float(np.nanmedian([survey.band(b).psf_fwhm_arcsec for b in survey.rgb_bands]))


def stored_hosts(
    context: JobContext,
    settings: InjectSettings,
    opened: PaintedCatalog,
    without: IntArray | None,
) -> tuple[list[int], IntArray]:
    """Ids and rows of the hosts; stored, so that labels given meanwhile do not change a resume."""
    path: Path = context.folder / HOSTS
    if path.is_file():
        hosts = json.loads(path.read_text())
    else:
        fwhm = typical_fwhm_arcsec(opened.store, opened.survey)
        chosen = choose_hosts(
            context, settings, opened.store, opened.source_id, fwhm, without=without
        )
        hosts = {"ids": [host.id for host in chosen], "rows": [host.row for host in chosen]}
        path.write_text(json.dumps(hosts))
    return hosts["ids"], np.array(hosts["rows"], dtype=np.int64)


def _result(settings: InjectSettings, writer: CatalogWriter, **counts: int) -> dict[str, Any]:
    known = {
        "galaxies": writer.notes.get("galaxies", 0),
        "left_out": writer.notes.get("unpainted", 0),
    }
    return {"catalog": settings.catalog, **known, **counts}


def _batch(
    context: JobContext,
    settings: InjectSettings,
    painter: Painter,
    store: CutoutStore,
    ids: Sequence[int],
    first: int,
) -> tuple[Float32Array, list[NewCandidate]]:
    """Cutouts and rows of some hosts: with arcs, and before each the same without, if asked for."""
    with open_database(context.workspace).session() as session:
        hosts = candidates_by_id(session, ids)
    images = store.read_many([host.cutout_index for host in hosts])
    psfs = psfs_of(store, hosts)
    painted = painter.paint_many(
        list(range(first, first + len(hosts))),
        images,
        psfs=psfs,
        redshifts=[redshift_of(host) for host in hosts],
    )
    pixels, rows = [], []
    for host, image, one in zip(hosts, images, painted, strict=True):
        if one is None:
            continue
        if settings.paired:
            pixels.append(image)
            rows.append(painted_row(settings.source, host, None))
        pixels.append(one.flux)
        rows.append(painted_row(settings.source, host, one))
    empty = np.empty((0, *store.geometry.shape), np.float32)
    return np.stack(pixels).astype(np.float32) if pixels else empty, rows


def psfs_of(store: CutoutStore, hosts: Sequence[Candidate]) -> Float32Array | None:
    """PSF images of the hosts where the catalog has them for all, odd-sized and of sum 1."""
    if not (store.folder / "shard-00000.psf.npy").exists():
        return None
    psfs = np.stack([store.read_psf(host.cutout_index) for host in hosts]).astype(np.float32)
    total = psfs.sum(axis=(2, 3), keepdims=True)
    usable = np.isfinite(psfs).all() and (total > 0).all()
    if not usable or psfs.shape[-1] % 2 == 0 or psfs.shape[-2] % 2 == 0:
        return None
    return psfs / total


def redshift_of(galaxy: Candidate) -> float | None:
    """The galaxy's redshift, where it is known and one of lenses."""
    observed = galaxy.observation
    z = (observed.z_spec or observed.z_phot) if observed else None
    return z if z is not None and 0.05 < z < 1.2 else None


def painted_row(
    source: str, galaxy: Candidate, painted: Painted | None, *, number: int = 1
) -> NewCandidate:
    """The row of a galaxy of catalog ``source``: with its arcs, or as it is.

    Parameters
    ----------
    number : int
        1 for the first arcs around this galaxy, more for others.
    """
    observed = galaxy.observation
    suffix = PAINTED_SUFFIX if number == 1 else f"{PAINTED_SUFFIX}{number}"
    return NewCandidate(
        object_id=galaxy.object_id if painted is None else f"{galaxy.object_id}{suffix}",
        ra_deg=galaxy.ra_deg,
        dec_deg=galaxy.dec_deg,
        label=int(painted is not None),
        label_source=f"inject:{source}",
        label_confidence=1.0 if painted else 0.95,
        magnitude=galaxy.magnitude,
        observation={
            "psf_fwhm_arcsec": observed.psf_fwhm_arcsec if observed else None,
            "source_pixel_scale_arcsec": observed.source_pixel_scale_arcsec if observed else None,
            "band_flags": observed.band_flags if observed else None,
            "z_phot": observed.z_phot if observed else None,
            "z_err": observed.z_err if observed else None,
            "truth": {**painted.truth, "galaxy": galaxy.object_id}
            if painted
            else {"class": "real_galaxy", "galaxy": galaxy.object_id},
        },
    )
