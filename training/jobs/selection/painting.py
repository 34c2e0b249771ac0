"""Lenses injected into the cells of a grid, as a catalog of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lens_triage.training.jobs.hosts import (
    Painter,
    galaxies_to_paint,
    law_of,
    painter_of,
    with_law,
)
from lens_triage.training.jobs.inject import (
    BATCH,
    PaintedCatalog,
    open_painted,
    painted_row,
    psfs_of,
    redshift_of,
    stored_hosts,
)
from lens_triage.training.jobs.search.sets import known_ids
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import SelectionSettings
from lensing_core.arrays import Float32Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.groups import INJECTION_NOTE
from lensing_core.ingest.catalog_writer import NewCandidate
from lensing_core.simulation.injection import LensLaw
from lensing_core.store import open_database
from lensing_core.store.catalogs import all_catalogs
from lensing_core.store.hosts import candidates_by_id, painted_hosts

FEWEST_HOSTS = 50
"""Galaxies that nothing was painted on before; with fewer, the others are taken, too."""
KNOWN_RADIUS_ARCSEC = 5.0
"""Galaxies this near a known lens (lenscat) are not painted on."""


def inject(context: JobContext, settings: SelectionSettings) -> int:
    """Make the catalog of injected lenses; goes on where an earlier attempt stopped.

    Returns
    -------
    int
        Lenses that could not be made.
    """
    injection = settings.injection()
    opened = open_painted(
        context.workspace, settings.catalog, settings.injected, settings.painting()
    )
    store, writer = opened.store, opened.writer
    if writer.complete:
        return int(writer.notes.get("unpainted", 0))
    ids, rows = _hosts(context, settings, opened)
    painter = painter_of(injection, store, opened.survey, rows)
    law = law_of(injection)
    for cell, start, stop in _batches(settings, writer.rows_read):
        context.progress(start, settings.n_lenses, "Injecting lenses")
        of_cell = with_law(painter, _law_of_cell(settings, law, cell))
        pixels, made = _paint(context, settings.catalog, of_cell, store, ids, range(start, stop))
        writer.append(pixels, made, rows_read=stop)
    unpainted = settings.n_lenses - writer.n_written
    writer.finish(unpainted=unpainted)
    return unpainted


def _hosts(
    context: JobContext, settings: SelectionSettings, opened: PaintedCatalog
) -> tuple[list[int], IntArray]:
    """Ids and rows of galaxies, those that nothing was painted on where there are enough."""
    with open_database(context.workspace).session() as session:
        lenses = known_ids(session, settings.catalog, KNOWN_RADIUS_ARCSEC, context.workspace)
        trained_on = [
            catalog.id
            for catalog in all_catalogs(session)
            if (note := catalog.notes.get(INJECTION_NOTE)) is not None
            and note.get("source") == settings.catalog
            and "snr_cells" not in note  # injected to measure, not to train
        ]
        used = painted_hosts(session, opened.source_id, trained_on)
        possible = galaxies_to_paint(session, settings.injection(), opened.source_id)
    free = {host.id for host in possible} - set(used.tolist()) - set(lenses.tolist())
    barred = np.union1d(lenses, used)
    if len(used) and len(free) < min(FEWEST_HOSTS, settings.n_lenses):
        context.log(
            f"{len(free):,} galaxies were never painted on: others are used, too, which the "
            "ensemble may have been trained on with other arcs.",
            "warning",
        )
        barred = lenses
    return stored_hosts(context, settings.injection(), opened, barred)


def _batches(settings: SelectionSettings, done: int) -> Iterator[tuple[int, int, int]]:
    """Number of the cell, first lens and the one after the last, of what is left to inject."""
    start = done
    while start < settings.n_lenses:
        cell = start // settings.per_cell
        stop = min(start + BATCH, (cell + 1) * settings.per_cell)
        yield cell, start, stop
        start = stop


def _law_of_cell(settings: SelectionSettings, law: LensLaw, cell: int) -> LensLaw:
    """Law with equal numbers at every θ_E and every logarithm of S/N within the cell."""
    grid = settings.grid()
    row, column = divmod(cell, settings.snr_cells)
    theta, snr = grid.theta_e_edges_arcsec, grid.arc_snr_edges
    return replace(
        law,
        theta_e_range_arcsec=(float(theta[row]), float(theta[row + 1])),
        arc_snr_range=(float(snr[column]), float(snr[column + 1])),
    )


def _paint(
    context: JobContext,
    source: str,
    painter: Painter,
    store: CutoutStore,
    hosts: Sequence[int],
    numbers: range,
) -> tuple[Float32Array, list[NewCandidate]]:
    """Cutouts and rows of some lenses; galaxies are taken in turn, with other lenses each time."""
    chosen = [hosts[k % len(hosts)] for k in numbers]
    with open_database(context.workspace).session() as session:
        galaxies = candidates_by_id(session, list(dict.fromkeys(chosen)))
    by_id = {galaxy.id: galaxy for galaxy in galaxies}
    of_lens = [by_id[key] for key in chosen]
    painted = painter.paint_many(
        list(numbers),
        store.read_many([galaxy.cutout_index for galaxy in of_lens]),
        psfs=psfs_of(store, of_lens),
        redshifts=[redshift_of(galaxy) for galaxy in of_lens],
    )
    pixels, rows = [], []
    for number, galaxy, one in zip(numbers, of_lens, painted, strict=True):
        if one is not None:
            pixels.append(one.flux)
            rows.append(painted_row(source, galaxy, one, number=1 + number // len(hosts)))
    empty = np.empty((0, *store.geometry.shape), np.float32)
    return np.stack(pixels).astype(np.float32) if pixels else empty, rows
