"""Retraining with an encoder: the probe that it chooses, stored alone and scored anew."""

from __future__ import annotations

import numpy as np
import pytest

from lens_triage.training.checks import check_run
from lens_triage.training.jobs import retrain as retraining
from lens_triage.training.jobs.retrain.probing import read_grades
from lens_triage.training.settings import RetrainSettings
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.files import load_member
from lensing_core.models.head import HeadMember
from lensing_core.models.manifest import ENCODER
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.tables import Candidate, Catalog, Model, Observation, RunLog

QUICK = {
    "ensemble": "second",
    "heads": ["logistic"],
    "folds": 3,
    "survey_prior": 0.1,
    "prior_scan": False,
}
BLOCKS = [
    {"layer": "middle", "crop_arcsec": 9.0, "columns": 6},
    {"layer": "last", "crop_arcsec": 9.0, "columns": 14},
]


class _Encoder:
    """Stands for a network: its embeddings are stored, and it is never asked for others."""


@pytest.fixture
def encoded(workspace, make_survey, monkeypatch):
    """A scored survey whose lenses an encoder's middle layer tells."""
    truth = make_survey(n=700, contrast=0.2)
    rng = np.random.default_rng(3)
    embedding = rng.standard_normal((len(truth), 20)).astype("f4")
    embedding[:, :3] += 1.6 * truth[:, None]
    writer = OutputWriter(workspace, "lite-1", "survey", len(truth))
    writer.write(0, MemberOutput(np.zeros(len(truth)), embedding))
    contract = {
        "bands": ["g"], "size_px": 20, "pixel_scale_arcsec": 0.2, "pixel_kind": "flux",
    }  # fmt: skip
    manifest = {
        "id": "lite-1", "kind": ENCODER, "files": {}, "contract": contract, "encoder": {},
        "blocks": BLOCKS, "embedding_dim": 20, "has_head": False,
    }  # fmt: skip
    with open_database(workspace).session() as session:
        session.add(Model(id="lite-1", kind=ENCODER, manifest=manifest))
        rows = session.query(Candidate).join(Catalog).filter(Catalog.name == "survey")
        for row in rows.order_by(Candidate.cutout_index):
            grade = 3.0 * truth[row.cutout_index] + (row.id % 5) / 10
            session.merge(Observation(candidate_id=row.id, properties={"grade": f"{grade:.1f}"}))
    monkeypatch.setattr(
        "lensing_core.models.files.read_member", _reading(read_member_of_files(), manifest)
    )
    return truth


def read_member_of_files():
    from lensing_core.models import files

    return files.read_member


def _reading(read, manifest):
    """Reads models as ever, but for the encoder, which has no files here."""
    from lensing_core.models.files import StoredMember

    def wrapped(folder, **options):
        if folder.name == "lite-1":
            return StoredMember("lite-1", _Encoder(), manifest)
        return read(folder, **options)

    return wrapped


def test_a_probe_on_the_encoder_is_chosen_told_and_ranks(workspace, encoded, make_context):
    settings = RetrainSettings(**QUICK)
    check_run(workspace, settings)
    result = retraining.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        manifest = find_ensemble(session, "second").manifest
        said = [line.message for line in session.query(RunLog)]
    (chosen,) = (c for c in manifest["probe_choices"] if c["chosen"])
    assert "lite-1, middle" in {c["name"] for c in manifest["probe_choices"]}
    assert chosen["low_95"] <= chosen["recall"] <= chosen["high_95"]
    assert {c["target"] for c in manifest["probe_choices"]} == {"lens"}
    assert any(line.startswith("Probe on lite-1, middle (lens): recall") for line in said)
    probe = load_member(workspace, result["members"][-1]).member
    assert isinstance(probe, HeadMember)
    assert {given.model for given in probe.inputs} <= {"lite-1", "trees-1"}
    assert manifest["figures"]["ensemble"]["auroc"]["value"] > 0.5


def test_grades_may_be_learned(workspace, encoded, make_context):
    settings = RetrainSettings(**{**QUICK, "heads": ["probe"]}, grade_column="grade")
    retraining.run(make_context(settings), settings)
    with open_database(workspace).session() as session:
        choices = find_ensemble(session, "second").manifest["probe_choices"]
        ids = np.array(session.scalars(session.query(Candidate.id).statement).all())
        grades = read_grades(session, ids, "grade")
        with pytest.raises(BadInputError, match="grade_column = nothing: 0 candidates"):
            read_grades(session, ids, "nothing")
    assert {c["target"] for c in choices} == {"lens", "grade"}
    assert (grades.min(), grades.max()) == (0, 1)


def test_an_encoder_that_has_not_encoded_is_refused(workspace, encoded):
    settings = RetrainSettings(**QUICK, encoders=["zoobot"])
    with pytest.raises(NotFoundError, match="No encoder zoobot has encoded survey"):
        check_run(workspace, settings)
