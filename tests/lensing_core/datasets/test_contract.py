"""One meaning of "labeled": the same candidates through every way in that reads labels."""

from __future__ import annotations

import numpy as np
import pytest
from grading import grade_all
from sqlalchemy import select

from lens_triage.training.jobs.retrain.labels import labels_of_run
from lens_triage.training.jobs.train.data import TrainingData
from lens_triage.training.settings import FinetuneSettings, RetrainSettings
from lensing_core.cutouts import CutoutGeometry
from lensing_core.datasets.uses import LENS, MIN_CONFIDENCE, OTHER, UNLABELED
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.labeling.gold import choose_gold
from lensing_core.labeling.loop_history import known_answers
from lensing_core.neighbors import labels_of_look_alikes
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.tables import Candidate

GEOMETRY = CutoutGeometry("hsc", ("g",), 8, 0.2, "flux", (27.0,), (0.7,))

# (imported label, policy, confidence) -> the state that every use gives it.
IMPORTED = {
    "lens": ((1, None, None), LENS),
    "non-lens": ((0, None, None), OTHER),
    "unlabeled": ((None, None, None), UNLABELED),
    "at the least confidence": ((1, None, MIN_CONFIDENCE), LENS),
    "doubtful lens": ((1, None, 0.3), UNLABELED),
    "doubtful non-lens": ((0, None, 0.3), UNLABELED),
    "known lens": ((1, "positives_only", None), LENS),
    "non-lens of a positives-only set": ((0, "positives_only", None), UNLABELED),
    "for pretraining": ((1, "pretraining_only", 1.0), UNLABELED),
}
# (imported label, grades of Ana and Bo) -> the state where grades count.
GRADED = {
    "graded lens": ((None, "AA"), LENS),
    "graded non-lens": ((None, "XX"), OTHER),
    "lens overruled": ((1, "XX"), OTHER),
    "non-lens overruled": ((0, "AA"), LENS),
    "disputed": ((None, "AX"), UNLABELED),
    "disputed, and imported": ((0, "AX"), OTHER),
}
RUN = {"most_unlabeled": 1000, "catalog": "cases"}


def read_by_train(workspace, session):
    labels = TrainingData.open(workspace, ["cases"]).labels
    return dict(zip(labels.candidate_id.tolist(), labels.label.tolist(), strict=True))


def read_by_retrain(workspace, session, settings=RetrainSettings):
    labels, _ = labels_of_run(session, ["cases"], settings(**RUN))
    return dict(zip(labels.candidate_id.tolist(), labels.state.tolist(), strict=True))


def read_by_finetune(workspace, session):
    return read_by_retrain(workspace, session, FinetuneSettings)


def read_by_look_alikes(workspace, session):
    labels = labels_of_look_alikes(session, [find_catalog(session, "cases")])
    return dict(zip(labels.candidate_id.tolist(), labels.state.tolist(), strict=True))


def read_by_loop_history(workspace, session):
    answers = known_answers(session, find_catalog(session, "cases"))
    return {key: LENS if lens else OTHER for key, lens in answers.items()}


READERS = [
    *(read_by_train, read_by_retrain, read_by_finetune, read_by_look_alikes),
    read_by_loop_history,
]


@pytest.fixture
def cases(workspace):
    """Every case once, among plain lenses and non-lenses that any reader wants; ids by case."""
    names = [*IMPORTED, *GRADED, *(f"fill-{k}" for k in range(60))]
    known = {name: case for name, (case, _) in IMPORTED.items()}
    known |= {name: (label, None, None) for name, ((label, _), _) in GRADED.items()}
    rows = []
    for k, name in enumerate(names):
        label, policy, confidence = known.get(name, (k % 2 if k < 40 else None, None, None))
        rows.append(
            NewCandidate(name, label=label, label_policy=policy, label_confidence=confidence)
        )
    writer = CatalogWriter(workspace, CatalogSpec("cases", GEOMETRY, {}, label_source="obs:x"))
    pixels = np.random.default_rng(1).normal(size=(len(rows), 1, 8, 8)).astype("f4")
    writer.append(pixels, rows, rows_read=len(rows))
    writer.finish()
    with open_database(workspace).session() as session:
        return dict(session.execute(select(Candidate.object_id, Candidate.id)).all())


def grade(session, cases):
    given = {cases[name]: letters for name, ((_, letters), _) in GRADED.items()}
    # Enough agreement on plain objects for graders to be trusted.
    given |= {cases[f"fill-{k}"]: "AA" if k % 2 else "XX" for k in range(60)}
    grade_all(
        session, {key: dict(zip(("Ana", "Bo"), ab, strict=True)) for key, ab in given.items()}
    )


@pytest.mark.parametrize("reader", READERS)
def test_imported_labels_mean_the_same_everywhere(workspace, cases, reader):
    with open_database(workspace).session() as session:
        read = reader(workspace, session)
    states = {name: read.get(cases[name], UNLABELED) for name in IMPORTED}
    assert states == {name: state for name, (_, state) in IMPORTED.items()}


@pytest.mark.parametrize("joined", [True, False], ids=["consensus", "votes"])
@pytest.mark.parametrize("reader", READERS[1:])
def test_grades_mean_the_same_where_they_count(workspace, cases, reader, joined):
    with open_database(workspace).session() as session:
        grade(session, cases)
        if joined:
            update_consensus(session, ConsensusSettings())
        read = reader(workspace, session)
    states = {name: read.get(cases[name], UNLABELED) for name in GRADED}
    assert states == {name: state for name, (_, state) in GRADED.items()}


def test_training_from_pixels_learns_imported_labels_alone(workspace, cases):
    with open_database(workspace).session() as session:
        grade(session, cases)
        update_consensus(session, ConsensusSettings())
    read = read_by_train(workspace, None)
    assert read[cases["lens overruled"]] == LENS
    assert cases["graded lens"] not in read


def test_gold_standards_obey_policies_and_ask_for_more_confidence(workspace, cases):
    with open_database(workspace).session() as session:
        known = choose_gold(session, [cases["fill-59"]], 30, seed=1)
    answers = {item.candidate_id: item.answer for item in known}
    for name, (_, state) in IMPORTED.items():
        if state == UNLABELED or name == "at the least confidence":
            assert cases[name] not in answers, name
