"""Scores of a catalog from stored outputs of the base members: no pixel is read."""

from __future__ import annotations

from lens_triage.training.runner.context import JobContext
from lensing_core.models.files import with_bases
from lensing_core.models.outputs import StoredOutputs
from lensing_core.scoring import fuse, open_ensemble
from lensing_core.store import open_database
from lensing_core.store.candidates import candidates_by_cutout
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import rows_scored
from lensing_core.store.scores import write_scores
from lensing_core.store.tables import Ensemble

BATCH = 8192


def rescore(context: JobContext, ensemble: Ensemble, name: str) -> int:
    """Score the candidates that ``ensemble`` has not scored, in order; return how many."""
    database = open_database(context.workspace)
    with database.session() as session:
        catalog = find_catalog(session, name)
        done = rows_scored(session, ensemble.id, catalog.id)
    total = catalog.n_candidates
    rule, members = open_ensemble(context.workspace, ensemble)
    stored = {
        m.id: StoredOutputs.read(context.workspace, m.id, name, total) for m in with_bases(members)
    }
    for start in range(done, total, BATCH):
        context.progress(start, total, f"Ranking {name} again")
        stop = min(start + BATCH, total)
        outputs = {
            key: stored_output.output(slice(start, stop)) for key, stored_output in stored.items()
        }
        scores, distances = fuse(rule, members, outputs)
        with database.session() as session:
            ids = list(candidates_by_cutout(session, catalog.id, start, stop))
            write_scores(session, ensemble, catalog.id, ids, scores, distances)
    context.progress(total, total, "Done")
    return total - done
