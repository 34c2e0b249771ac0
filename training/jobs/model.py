"""The job that fits lenses to candidates, one after another, and keeps every result.

The lens test of each, or the posterior of each (:mod:`lens_triage.training.jobs.posterior`); or it
models the mass of one cluster (:mod:`lens_triage.training.jobs.cluster`).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from lens_triage.training.jobs.candidates_to_fit import candidates_to_fit
from lens_triage.training.jobs.cluster import run_cluster
from lens_triage.training.jobs.posterior import run_posteriors
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import ModelSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.lens_test.candidates import keep, key_of, outcome
from lensing_core.store import open_database
from lensing_core.store.candidates import cutout_places
from lensing_core.store.lens_tests import latest_lens_tests, untested


def run(context: JobContext, settings: ModelSettings) -> dict[str, Any]:
    """Test the candidates that have no test with these settings yet; so a run is resumed.

    Returns
    -------
    dict
        How many were ``candidates`` and ``tested`` now, and of all of them how many have which
        verdict; of posteriors see :func:`~lens_triage.training.jobs.posterior.run_posteriors`, of a
        cluster :func:`~lens_triage.training.jobs.cluster.run_cluster`.
    """
    if settings.cluster:
        return run_cluster(context, settings)
    if settings.posterior:
        return run_posteriors(context, settings)
    database = open_database(context.workspace)
    chosen = settings.lens_test()
    with database.session() as session:
        candidates = candidates_to_fit(session, settings)
        waiting = untested(session, candidates, key_of(chosen))
        places = cutout_places(session, waiting)
    store = CutoutStore(context.workspace.catalog_cutouts(settings.catalog))
    done, began = len(candidates) - len(waiting), time.perf_counter()
    if done:
        context.log(f"{done:,} of {len(candidates):,} candidates were tested before.")
    for k, candidate in enumerate(waiting):
        context.progress(done + k, len(candidates), f"Fitting {places[candidate].object_id}")
        found = outcome(store, places[candidate].cutout_index, chosen)
        with database.session() as session:
            keep(session, candidate, places[candidate], chosen, found)
    seconds = time.perf_counter() - began
    with database.session() as session:
        verdicts = Counter(row.verdict for row in latest_lens_tests(session, candidates).values())
    context.progress(len(candidates), len(candidates), "Done")
    return {
        "catalog": settings.catalog,
        "candidates": len(candidates),
        "tested": len(waiting),
        "seconds_each": round(seconds / len(waiting), 2) if waiting else 0.0,
        **{name: verdicts[name] for name in ("supports", "no_lens", "unclear", "failed")},
    }
