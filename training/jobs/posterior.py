"""The part of a run of lens models that samples posteriors, one candidate after another."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from lens_triage.training.jobs.candidates_to_fit import candidates_to_fit
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ModelSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.lens_model import (
    VERSION,
    LensModelSettings,
    LensPosterior,
    read_coolest,
    sample_lens,
    write_posterior,
)
from lensing_core.lens_model.places import CHECKPOINT, model_folder
from lensing_core.lens_model.sampling import Progress
from lensing_core.lens_test import VERSION as LENS_TEST
from lensing_core.lens_test import LensTestSettings
from lensing_core.lens_test.candidates import fit_stored, keep, outcome_of
from lensing_core.lens_test.testing import FittedLens
from lensing_core.store import Database, open_database
from lensing_core.store.candidates import CutoutPlace, cutout_places, get_candidate
from lensing_core.store.lens_models import (
    FAILED,
    SAMPLED,
    keep_lens_model,
    measured_redshifts,
    models_of_run,
)
from lensing_core.store.lens_tests import newest_lens_test


def run_posteriors(context: JobContext, settings: ModelSettings) -> dict[str, Any]:
    """Sample those that this run has not sampled yet, each from where it was interrupted.

    Returns
    -------
    dict
        How many were ``candidates``, how many of them ``sampled`` and ``failed``, and of how many
        the sample has ``converged``.
    """
    database = open_database(context.workspace)
    with database.session() as session:
        candidates = candidates_to_fit(session, settings)
        places = cutout_places(session, candidates)
        done = models_of_run(session, context.run_id)
    waiting = [key for key in candidates if key not in done]
    if done:
        context.log(f"{len(done):,} of {len(candidates):,} lenses were sampled before.")
    for key in waiting:
        with database.session() as session:
            n = len(models_of_run(session, context.run_id))
        context.progress(n, len(candidates), f"Fitting {places[key].object_id}")
        _sample_one(context, settings, database, key, places[key], n)
    with database.session() as session:
        done = models_of_run(session, context.run_id)
    context.progress(len(candidates), len(candidates), "Done")
    summaries = [model.summary for model in done.values() if model.status == SAMPLED]
    return {
        "catalog": settings.catalog,
        "candidates": len(candidates),
        "sampled": len(summaries),
        "failed": sum(model.status == FAILED for model in done.values()),
        "converged": sum(summary["diagnostics"]["converged"] for summary in summaries),
    }


def _sample_one(
    context: JobContext,
    settings: ModelSettings,
    database: Database,
    key: int,
    place: CutoutPlace,
    n: int,
) -> None:
    """Sample one candidate and keep the model, or why there is none."""
    folder = model_folder(context.folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / CHECKPOINT
    store = CutoutStore(context.workspace.catalog_cutouts(place.catalog))
    name = place.object_id

    def look(progress: Progress) -> None:
        how_far = (
            f"{progress.effective:,.0f} of {settings.effective_samples:,} samples"
            if progress.explored
            else f"exploring, {100 * progress.live_share:.0f} % of the evidence is still live"
        )
        context.progress(n, activity=f"Sampling {name}: {progress.calls:,} models, {how_far}")

    try:
        fitted = _fit(database, settings, store, key, place)
        posterior = sample_lens(
            fitted,
            _settings_of(database, settings, key),
            start=read_coolest(Path(settings.begin_with)) if settings.begin_with else None,
            checkpoint=checkpoint,
            look=look,
        )
    except BadInputError as error:
        context.log(f"{name}: {error}", "warning")
        with database.session() as session:
            keep_lens_model(
                session, key, context.run_id, place, version=VERSION, sentence=str(error)
            )
        return
    context.progress(n, activity=f"Writing the model of {name}")
    files = _write(database, posterior, folder, store, key)
    with database.session() as session:
        keep_lens_model(
            session, key, context.run_id, place, version=VERSION,
            summary={**posterior.summary, "files": files},
        )  # fmt: skip
    checkpoint.unlink(missing_ok=True)
    _say(context, name, posterior)


def _fit(
    database: Database, settings: ModelSettings, store: CutoutStore, key: int, place: CutoutPlace
) -> FittedLens:
    """Fit as the newest lens test did; where there is none, this is one, and is kept."""
    with database.session() as session:
        test = newest_lens_test(session, key, place, LENS_TEST)
    known = None if test is None else test.result.get("settings")
    chosen = settings.lens_test() if known is None else LensTestSettings.from_json(known)
    began = time.perf_counter()
    fitted = fit_stored(store, place.cutout_index, chosen)
    if known is None:
        with database.session() as session:
            keep(session, key, place, chosen, outcome_of(fitted, chosen, began))
    return fitted


def _settings_of(database: Database, settings: ModelSettings, key: int) -> LensModelSettings:
    with database.session() as session:
        z_lens, z_source = measured_redshifts(session, key)
    return LensModelSettings(
        mass=settings.mass,
        z_lens=float(settings.z_lens) or z_lens or math.nan,
        z_source=float(settings.z_source) or z_source or math.nan,
        effective_samples=settings.effective_samples,
        seed=settings.seed,
    )


def _write(
    database: Database, posterior: LensPosterior, folder: Path, store: CutoutStore, key: int
) -> list[str]:
    with database.session() as session:
        candidate = get_candidate(session, key)
        ra, dec = candidate.ra_deg, candidate.dec_deg
    geometry = store.geometry
    return write_posterior(
        posterior,
        folder,
        zero_points_mag=dict(zip(geometry.bands, geometry.zero_points_mag, strict=True)),
        position_deg=None if ra is None or dec is None else (ra, dec),
    )


def _say(context: JobContext, name: str, posterior: LensPosterior) -> None:
    theta_e = posterior.summary["quantities"]["theta_e_arcsec"]
    found = posterior.summary["diagnostics"]
    low, high = theta_e["p50"] - theta_e["p16"], theta_e["p84"] - theta_e["p50"]
    doubt = "" if found["converged"] else "; the sample has not converged"
    context.log(
        f"{name}: θ_E = {theta_e['p50']:.3f} −{low:.3f} +{high:.3f}″ from "
        f"{found['effective_samples']:,} effective samples of {found['calls']:,} models{doubt}.",
        "info" if found["converged"] else "warning",
    )
