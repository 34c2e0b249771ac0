"""The job that paints arcs into the real cutouts of a catalog."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    workspace = context.workspace
    with open_database(workspace).session() as session:
        source = find_catalog(session, settings.source)
        source_id, survey_name, scale = source.id, source.survey.name, source.scale
    survey = get_survey(survey_name, workspace)
    store = CutoutStore(workspace.catalog_cutouts(settings.source))
    writer = _writer(context, settings, store, survey, scale)
    if writer.complete:
        return _result(settings, writer)
    fwhm = typical_fwhm_arcsec(store, survey)
    ids, rows = kept_hosts(context, settings, store, source_id, fwhm, without)
    painter = painter_of(settings, store, survey, rows)
    unpainted = int(writer.notes.get("unpainted", 0))
    for start in range(writer.rows_read, len(ids), BATCH):
        context.progress(start, len(ids), "Painting arcs")
        stop = min(start + BATCH, len(ids))
        pixels, made = _batch(context, settings, painter, store, ids[start:stop], start)
        unpainted += stop - start - sum(row.label == 1 for row in made)
        writer.append(pixels, made, rows_read=stop)
    writer.finish(unpainted=unpainted, galaxies=len(ids) - unpainted)
    context.progress(len(ids), len(ids), "Done")
    if unpainted:
        context.log(
            f"{unpainted:,} galaxies were left out: no detectable arc could be painted around them."
        )
    return _result(settings, writer, galaxies=len(ids) - unpainted, left_out=unpainted)


def typical_fwhm_arcsec(store: CutoutStore, survey: Survey) -> float:
    """Median over the bands of the cutouts' PSF; the survey's where the catalog does not say."""
    own = np.array(store.geometry.psf_fwhm_arcsec)
    if np.isfinite(own).any():
        return float(np.nanmedian(own))
    return float(np.nanmedian([survey.band(b).psf_fwhm_arcsec for b in survey.rgb_bands]))


def kept_hosts(
    context: JobContext,
    settings: InjectSettings,
    store: CutoutStore,
    source_id: int,
    psf_fwhm_arcsec: float,
    without: IntArray | None,
) -> tuple[list[int], IntArray]:
    """Ids and rows of the hosts; kept, so that labels given meanwhile do not move a resume."""
    note: Path = context.folder / HOSTS
    if note.is_file():
        kept = json.loads(note.read_text())
    else:
        chosen = choose_hosts(context, settings, store, source_id, psf_fwhm_arcsec, without=without)
        kept = {"ids": [host.id for host in chosen], "rows": [host.row for host in chosen]}
        note.write_text(json.dumps(kept))
    return kept["ids"], np.array(kept["rows"], dtype=np.int64)


def _result(settings: InjectSettings, writer: CatalogWriter, **counts: int) -> dict[str, Any]:
    known = {
        "galaxies": writer.notes.get("galaxies", 0),
        "left_out": writer.notes.get("unpainted", 0),
    }
    return {"catalog": settings.catalog, **known, **counts}


def _writer(
    context: JobContext, settings: InjectSettings, store: CutoutStore, survey: Survey, scale: str
) -> CatalogWriter:
    writer = CatalogWriter(
        context.workspace,
        CatalogSpec(
            settings.catalog,
            store.geometry,
            survey.to_json(),
            scale=scale,
            origin="simulated",
            label_source=f"inject:{settings.source}",
            notes={INJECTION_NOTE: settings.to_json()},
        ),
    )
    if writer.notes.get(INJECTION_NOTE) != settings.to_json():
        raise BadInputError(
            f"Catalog {settings.catalog} exists with other settings; choose another name."
        )
    return writer


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
