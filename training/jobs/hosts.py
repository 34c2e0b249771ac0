"""Galaxies of a catalog around which arcs are painted, and the painter for its kind of pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import InjectSettings
from lensing_core.arrays import IntArray
from lensing_core.cutouts import CutoutGeometry, CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.imaging.unstretch import PictureStretch, estimate_stretch
from lensing_core.simulation.galaxies import generator
from lensing_core.simulation.hosts import ObjectMeasurements, measure_objects, red_and_extended
from lensing_core.simulation.injection import (
    FIELD_COUNT_SLOPE,
    Injector,
    LensLaw,
    check_can_be_painted,
)
from lensing_core.simulation.lenses import SOURCE_COUNT_SLOPE
from lensing_core.simulation.picture_injection import PicturePainter
from lensing_core.simulation.rendering import Frame
from lensing_core.simulation.source_images import bundled_sources, read_sources
from lensing_core.simulation.visibility import ArcLimits, stated_noise
from lensing_core.store import Session, open_database
from lensing_core.store.hosts import PossibleHost, possible_hosts
from lensing_core.surveys import Band, Survey
from lensing_core.workspace import Workspace

LRG_COLUMNS = ("lrg", "is_lrg", "lrg_flag")
LENS_REDSHIFTS = (0.05, 1.2)
MOST_MEASURED = 6
"""Objects that are measured for each host that is asked for."""
STRETCH_SAMPLE = 300
_BATCH = 256


Painter = Injector | PicturePainter
"""Paints arcs into cutouts of one kind of pixel."""


def with_law(painter: Painter, law: LensLaw) -> Painter:
    """The same painter, drawing other lenses."""
    if isinstance(painter, PicturePainter):
        return replace(painter, injector=replace(painter.injector, law=law))
    return replace(painter, law=law)


def law_of(settings: InjectSettings) -> LensLaw:
    """Return what the settings say of lenses, sources and what must be seen of them."""
    sources: list[Any] = [
        None if name == "simulated" else bundled_sources(name) for name in settings.sources
    ]
    if settings.sources_path:
        sources.append(read_sources(Path(settings.sources_path)))
    return LensLaw(
        settings.theta_e_law,
        (settings.min_theta_e_arcsec, settings.max_theta_e_arcsec),
        tuple(sources),
        ArcLimits(settings.min_arc_snr, settings.min_magnification, settings.min_second_snr),
        # As many lenses at every radius: with bright arcs among them, too.
        SOURCE_COUNT_SLOPE if settings.theta_e_law == "flat" else FIELD_COUNT_SLOPE,
    )


def bands_to_paint(geometry: CutoutGeometry, survey: Survey, catalog: str) -> tuple[Band, ...]:
    """The survey's bands of a catalog's cutouts: of pictures those for red, green and blue.

    Raises
    ------
    BadInputError
        If a band has no wavelength, or pictures have other than three channels.
    """
    pictures = geometry.pixel_kind == "rendered"
    if pictures and len(geometry.bands) != 3:
        raise BadInputError(
            f"Catalog {catalog}: pictures of {len(geometry.bands)} channels; arcs can be painted "
            "into those of three."
        )
    bands = tuple(survey.band(name) for name in (survey.rgb_bands if pictures else geometry.bands))
    check_can_be_painted(bands, catalog)
    if pictures:
        stated = stated_noise(bands, geometry.pixel_scale_arcsec)
        if not np.isfinite(stated).all():
            raise BadInputError(
                f"Survey {survey.name}: bands of pictures need depth_mag, which gives the unit of "
                "their light; add it to the survey's definition."
            )
    return bands


def painter_of(
    settings: InjectSettings, store: CutoutStore, survey: Survey, rows: IntArray
) -> Painter:
    """The painter for a catalog's cutouts.

    Parameters
    ----------
    rows : ndarray of int64
        Of the hosts; the stretch of pictures is estimated from some of them.
    """
    geometry = store.geometry
    bands = bands_to_paint(geometry, survey, settings.source)
    fwhm = tuple(
        band.psf_fwhm_arcsec if own != own else own
        for band, own in zip(bands, geometry.psf_fwhm_arcsec, strict=True)
    )
    zero_points = geometry.zero_points_mag
    pictures = geometry.pixel_kind == "rendered"
    if pictures:
        zero_points = tuple(band.zero_point_mag for band in bands)
    frame = Frame(geometry.size_px, geometry.pixel_scale_arcsec, zero_points, fwhm)
    injector = Injector(frame, bands, settings.seed, law_of(settings))
    if not pictures:
        return injector
    return PicturePainter(injector, stretch_of(settings, store, bands, rows))


def stretch_of(
    settings: InjectSettings, store: CutoutStore, bands: tuple[Band, ...], rows: IntArray
) -> PictureStretch:
    """Stretch by the settings, or estimated from some pictures."""
    if settings.stretch != "estimated":
        return PictureStretch.of_recipe(settings.stretch, settings.stretch_q)
    rng = generator(settings.seed, 0, stream=5)
    sample = np.sort(rng.choice(rows, min(STRETCH_SAMPLE, len(rows)), replace=False))
    gain = np.array([band.gain_e_per_unit for band in bands])
    electrons = gain * stated_noise(bands, store.geometry.pixel_scale_arcsec)
    per_sigma = float(np.median(electrons)) if np.isfinite(electrons).all() else np.inf
    return estimate_stretch(store.read_many(sample), electrons_per_sigma=per_sigma)


def galaxies_to_paint(
    session: Session, settings: InjectSettings, catalog_id: int
) -> list[PossibleHost]:
    """Objects that may be painted on; raises BadInputError where there is none.

    Those without a lens label, within the magnitudes, at a redshift of lenses where one is known;
    flagged luminous red galaxies alone, where red and extended hosts are asked for and the table
    has such a column.
    """
    low, high = LENS_REDSHIFTS
    found = [
        host
        for host in possible_hosts(
            session,
            catalog_id,
            min_magnitude=settings.min_magnitude,
            max_magnitude=settings.max_magnitude,
        )
        if host.redshift is None or not np.isfinite(host.redshift) or low < host.redshift < high
    ]
    flagged = [host for host in found if _is_lrg(host.properties)]
    if settings.hosts == "red_extended" and flagged:
        found = flagged
    if not found:
        raise BadInputError(
            f"Catalog {settings.source} has no galaxy to paint on: none without a lens label "
            "within the magnitudes."
        )
    return found


def _is_lrg(properties: Mapping[str, Any]) -> bool:
    """Return whether a column for luminous red galaxies says that it is one."""
    return any(
        key.lower() in LRG_COLUMNS and value in (True, 1, "1", "true", "True", "yes", "T")
        for key, value in properties.items()
    )


def hosts_in_order(
    workspace: Workspace,
    settings: InjectSettings,
    catalog_id: int,
    *,
    without: IntArray | None = None,
) -> tuple[list[PossibleHost], bool]:
    """Galaxies that may be painted on, as the seed draws them, and whether pixels must decide.

    Flagged luminous red galaxies are taken as they are; where there is no such flag and red and
    extended hosts are asked for, pixels decide.

    Parameters
    ----------
    without : ndarray of int64, optional
        Ids that are not to be painted on: known lenses, held-out objects.
    """
    with open_database(workspace).session() as session:
        possible = galaxies_to_paint(session, settings, catalog_id)
    barred = set() if without is None else set(without.tolist())
    possible = [host for host in possible if host.id not in barred]
    order = generator(settings.seed, 0, stream=4).permutation(len(possible))
    drawn = [possible[k] for k in order]
    flagged = any(_is_lrg(host.properties) for host in drawn)
    return drawn, settings.hosts == "red_extended" and not flagged


def choose_hosts(
    context: JobContext,
    settings: InjectSettings,
    store: CutoutStore,
    catalog_id: int,
    psf_fwhm_arcsec: float,
    *,
    without: IntArray | None = None,
) -> list[PossibleHost]:
    """The galaxies to paint on: the first that suit of :func:`hosts_in_order`.

    Raises
    ------
    BadInputError
        If no object is red and extended where such are asked for.
    """
    drawn, measured = hosts_in_order(context.workspace, settings, catalog_id, without=without)
    if measured:
        drawn = drawn[: MOST_MEASURED * settings.n_galaxies]
        rows = np.array([host.row for host in drawn], dtype=np.int64)
        chosen = red_and_extended(measure_rows(store, rows, context.progress), psf_fwhm_arcsec)
        context.log(
            f"{int(chosen.sum()):,} of {len(drawn):,} measured objects are bright, extended and of "
            "the redder half: hosts."
        )
        drawn = [host for host, suits in zip(drawn, chosen, strict=True) if suits]
    if not drawn:
        raise BadInputError(
            f"Catalog {settings.source} has no object that is bright, red and extended; choose "
            "hosts = all, or other magnitudes."
        )
    return drawn[: settings.n_galaxies]


def measure_rows(
    store: CutoutStore, rows: IntArray, progress: Callable[[int, int, str], None] | None = None
) -> ObjectMeasurements:
    """Photometry of cutouts by row, batch by batch."""
    flux = store.geometry.pixel_kind == "flux"
    parts = [measure_objects(store.read_many(rows[:0]), store.geometry.pixel_scale_arcsec)]
    for first in range(0, len(rows), _BATCH):
        if progress is not None:
            progress(first, len(rows), "Measuring galaxies")
        images = store.read_many(rows[first : first + _BATCH])
        scale = store.geometry.pixel_scale_arcsec
        parts.append(measure_objects(images, scale, blue_first=flux))
    return ObjectMeasurements.concatenate(parts)
