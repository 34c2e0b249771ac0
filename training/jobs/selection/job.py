"""The job that measures a selection function; each step can be resumed."""

from __future__ import annotations

from typing import Any

from lens_triage.training.jobs import score
from lens_triage.training.jobs.selection.painting import inject
from lens_triage.training.jobs.steps import StepContext
from lens_triage.training.runner.context import JobContext
from lens_triage.training.selection.exports import write_exports
from lens_triage.training.selection.measuring import (
    COMBINED,
    LENS_TEST_SETTINGS,
    measure_selection,
    passed_the_cut,
)
from lens_triage.training.settings import ScoreSettings, SelectionSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.lens_test.candidates import keep, key_of, outcome
from lensing_core.store import open_database
from lensing_core.store.candidates import cutout_places
from lensing_core.store.lens_tests import untested

FOLDER = "selection"


def run(context: JobContext, settings: SelectionSettings) -> dict[str, Any]:
    """Inject, score, test, measure; what an earlier attempt finished is kept.

    Returns
    -------
    dict
        Names of catalog and ensemble, lenses ``injected`` and ``unpainted``, the ``folder`` of the
        files, and what :meth:`MeasuredSelection.summary` holds.
    """
    unpainted = inject(StepContext(context, "injection", "Injection"), settings)
    if unpainted:
        context.log(
            f"{unpainted:,} of {settings.n_lenses:,} lenses could not be made: no pair of lens and "
            "source at these redshifts has their Einstein radius.",
            "warning",
        )
    score.run(
        StepContext(context, "scores", "Scores"),
        ScoreSettings(
            ensemble=settings.ensemble,
            catalog=settings.injected,
            batch_size=settings.batch_size,
            device=settings.device,
        ),
    )
    if settings.lens_test:
        _test(context, settings)
    context.progress(0, None, "Fitting the selection function")
    measured = measure_selection(context.workspace, settings)
    for sentence in measured.notes:
        context.log(sentence)
    folder = context.folder / FOLDER
    write_exports(measured, folder)
    context.progress(settings.n_lenses, settings.n_lenses, "Done")
    whole = measured.maps[COMBINED]
    return {
        "catalog": settings.catalog,
        "ensemble": settings.ensemble,
        "injected": settings.n_lenses - unpainted,
        "found": whole.found,
        "unpainted": unpainted,
        "folder": str(folder),
        **measured.summary(),
    }


def _test(context: JobContext, settings: SelectionSettings) -> None:
    """Fit every injected lens that passes the cut and has no test with these settings yet."""
    database = open_database(context.workspace)
    with database.session() as session:
        candidates = passed_the_cut(session, settings)
        waiting = untested(session, candidates, key_of(LENS_TEST_SETTINGS))
    store = CutoutStore(context.workspace.catalog_cutouts(settings.injected))
    done = len(candidates) - len(waiting)
    for k, candidate in enumerate(waiting):
        context.progress(done + k, len(candidates), "Fitting injected lenses")
        with database.session() as session:
            place = cutout_places(session, [candidate])[candidate]
        found = outcome(store, place.cutout_index, LENS_TEST_SETTINGS)
        with database.session() as session:
            keep(session, candidate, place, LENS_TEST_SETTINGS, found)
