"""The job that paints simulated arcs into the real cutouts of a catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import InjectSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.simulation import Frame
from lensing_core.simulation.galaxies import generator
from lensing_core.simulation.injection import Injector, Painted, check_can_be_painted
from lensing_core.store import Session, open_database
from lensing_core.store.tables import Candidate, Catalog
from lensing_core.surveys import get_survey

BATCH = 64


def run(context: JobContext, settings: InjectSettings) -> dict[str, Any]:
    """Make the catalog that ``settings`` describe; goes on where an earlier attempt stopped."""
    workspace = context.workspace
    with open_database(workspace).session() as session:
        source = session.scalar(select(Catalog).where(Catalog.name == settings.source))
        if source is None:
            raise NotFoundError(f"There is no catalog {settings.source}.")
        source_id, survey_name, scale = source.id, source.survey.name, source.scale
    survey = get_survey(survey_name, workspace)
    cutouts = CutoutStore(workspace.catalog_cutouts(settings.source))
    geometry = cutouts.geometry
    if geometry.pixel_kind == "flux":
        bands = tuple(survey.band(name) for name in geometry.bands)
    else:
        bands = ()
    check_can_be_painted(bands, geometry.pixel_kind, settings.source)
    frame = Frame(
        geometry.size_px,
        geometry.pixel_scale_arcsec,
        geometry.zero_points_mag,
        geometry.psf_fwhm_arcsec,
    )
    chosen = _choose(context, settings, source_id)
    writer = CatalogWriter(
        workspace,
        CatalogSpec(
            settings.catalog,
            geometry,
            survey.to_json(),
            scale=scale,
            origin="simulated",
            label_source=f"inject:{settings.source}",
            notes={"injection": settings.to_json()},
        ),
    )
    if writer.notes.get("injection") != settings.to_json():
        raise BadInputError(
            f"Catalog {settings.catalog} exists with other settings; choose another name."
        )
    injector = Injector(frame, bands, settings.seed)
    done, unpainted = writer.rows_read, int(writer.notes.get("unpainted", 0))
    for start in range(done, len(chosen), BATCH):
        flux, rows = [], []
        for k, candidate in enumerate(_load(context, chosen[start : start + BATCH]), start):
            context.progress(k, len(chosen), "Painting")
            image = np.array(cutouts.read(candidate.cutout_index))
            painted = injector.paint(k, image, redshift=_redshift(candidate))
            if painted is None:
                unpainted += 1
                continue
            flux += [image, painted.flux]
            rows += [_row(settings, candidate, None), _row(settings, candidate, painted)]
        stop = min(start + BATCH, len(chosen))
        pixels = np.stack(flux) if flux else np.empty((0, *geometry.shape), np.float32)
        writer.append(pixels.astype(np.float32), rows, rows_read=stop)
    writer.finish(unpainted=unpainted)
    context.progress(len(chosen), len(chosen), "Done")
    if unpainted:
        context.log(
            f"{unpainted:,} galaxies could not be given an arc that would be found there; they "
            "were left out."
        )
    return {"catalog": settings.catalog, "galaxies": len(chosen) - unpainted, "left_out": unpainted}


def _choose(context: JobContext, settings: InjectSettings, catalog_id: int) -> list[int]:
    """Ids of the galaxies to use, drawn by the seed from those without a lens label."""
    with open_database(context.workspace).session() as session:
        ids = galaxies_to_paint(session, settings, catalog_id)
    rng = generator(settings.seed, 0, stream=4)
    count = min(settings.n_galaxies, len(ids))
    return [int(k) for k in rng.choice(ids, count, replace=False)]


def galaxies_to_paint(
    session: Session, settings: InjectSettings, catalog_id: int
) -> NDArray[np.int64]:
    """Ids of the galaxies that may be painted on; raises BadInputError where there is none."""
    query = (
        select(Candidate.id)
        .where(Candidate.catalog_id == catalog_id)
        .where(Candidate.label.is_(None) | (Candidate.label == 0))
        .order_by(Candidate.cutout_index)
    )
    ids = np.array(session.scalars(_within(query, settings)).all(), dtype=np.int64)
    if not len(ids):
        raise BadInputError(
            f"Catalog {settings.source} has no galaxy to paint on: none without a lens label "
            "within the magnitudes."
        )
    return ids


def _within(query: Select[Any], settings: InjectSettings) -> Select[Any]:
    if settings.min_magnitude is not None:
        query = query.where(Candidate.magnitude >= settings.min_magnitude)
    if settings.max_magnitude is not None:
        query = query.where(Candidate.magnitude <= settings.max_magnitude)
    return query


def _load(context: JobContext, ids: Sequence[int]) -> Iterator[Candidate]:
    """Candidates with their observations, in the order of ``ids``."""
    query = (
        select(Candidate).where(Candidate.id.in_(ids)).options(selectinload(Candidate.observation))
    )
    with open_database(context.workspace).session() as session:
        found = {candidate.id: candidate for candidate in session.scalars(query)}
        yield from (found[k] for k in ids)


def _redshift(galaxy: Candidate) -> float | None:
    """The galaxy's redshift, where it is known and one of lenses."""
    observed = galaxy.observation
    z = (observed.z_spec or observed.z_phot) if observed else None
    return z if z is not None and 0.05 < z < 1.2 else None


def _row(settings: InjectSettings, galaxy: Candidate, painted: Painted | None) -> NewCandidate:
    """The row of a galaxy: with its arcs, or as it is."""
    observed = galaxy.observation
    return NewCandidate(
        object_id=galaxy.object_id if painted is None else f"{galaxy.object_id}+arc",
        ra_deg=galaxy.ra_deg,
        dec_deg=galaxy.dec_deg,
        label=int(painted is not None),
        label_source=f"inject:{settings.source}",
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
