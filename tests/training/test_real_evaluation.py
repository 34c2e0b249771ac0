"""Evaluation on real objects: what counts, what is left out, and what is printed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import retraining_data
from sqlalchemy import select
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.training.real_evaluation import evaluate_real, unscored
from lensing_core.errors import BadInputError
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Observation, Score


@pytest.fixture
def scored(workspace, make_catalog):
    """A catalog of 150 blobs and rings whose lenses score higher, by an ensemble from elsewhere."""
    model = retraining_data.make_base(workspace)
    labels = make_catalog("survey", 150, 1)
    rng = np.random.default_rng(0)
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        rows = session.scalars(
            select(Candidate)
            .join(Catalog)
            .where(Catalog.name == "survey")
            .order_by(Candidate.cutout_index)
        ).all()
        for row, label in zip(rows, labels, strict=True):
            session.add(
                Score(
                    ensemble_id=ensemble.id,
                    candidate_id=row.id,
                    catalog_id=row.catalog_id,
                    logit=float(rng.normal(2 * label)),
                    probability=0.5,
                    epistemic=0.0,
                    aleatoric=0.0,
                    disagreement=0.0,
                )
            )
            if label:
                session.merge(
                    Observation(
                        candidate_id=row.id, properties={"arc": "clear" if row.id % 2 else "no"}
                    )
                )
    writer = OutputWriter(workspace, model, "survey", 150)
    features = rng.standard_normal((150, 4)).astype("f4")
    writer.write(0, MemberOutput(np.zeros(150), features=features))
    return workspace


def test_lenses_against_vetted_others_with_baselines_beside(scored):
    found = evaluate_real(scored, "first", ["survey"], visibility="arc", block_nside=0)
    (comparison,) = found.comparisons
    assert comparison.name == "vetted"
    assert comparison.sentence.startswith("50 lenses and 100 vetted non-lenses")
    names = ["ensemble", "brightness alone", "color alone", "center alone"]
    assert list(comparison.measured) == names
    metric = comparison.measured["ensemble"]["figures"]["auroc"]
    assert metric["low_95"] < metric["value"] < metric["high_95"]
    assert metric["value"] == pytest.approx(0.92, abs=0.06)
    assert set(comparison.differences) == set(names[1:])
    assert {row["name"] for row in found.visibility} == {"clear", "no"}
    assert "simulated" in found.notes[0]
    json.dumps(found.to_json(), allow_nan=False)


def test_without_scores_it_says_what_to_do(scored, make_catalog):
    make_catalog("other", 40, 2)
    assert unscored(scored, "first", ["survey", "other"]) == ["other"]
    with pytest.raises(BadInputError, match="no score of first; score the catalogs"):
        evaluate_real(scored, "first", ["survey", "other"])
    with pytest.raises(BadInputError, match="No candidate has a value in column 'nothing'"):
        evaluate_real(scored, "first", ["survey"], visibility="nothing")


def test_objects_that_were_learned_from_do_not_count(scored):
    with open_database(scored).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        from lensing_core.store.tables import Run

        session.add(Run(id="r", kind="train", title="", settings={}))
        session.flush()
        ensemble.run_id = "r"
        ensemble.manifest = {**ensemble.manifest, "catalogs": ["survey"]}
    with pytest.raises(BadInputError, match="0 lenses, 0 vetted and 0 unlabeled non-lenses"):
        evaluate_real(scored, "first", ["survey"])


def test_the_command_prints_tables_and_writes_everything(scored, tmp_path):
    output = tmp_path / "found.json"
    arguments = ["evaluate", str(scored.root), "--ensemble", "first", "--catalog", "survey"]
    arguments += [
        "--score",
        "--painted",
        "survey",
        "--pictures",
        str(tmp_path),
        "--block-nside",
        "0",
    ]
    result = CliRunner().invoke(cli, [*arguments, "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert {"TPR0", "AP", "AUROC"} <= set(result.output.split())
    assert "Realism by features of" in result.output
    written = json.loads(output.read_text())
    assert written["comparisons"][0]["measured"]["ensemble"]["matched"]["lenses"] == 50
    assert written["realism"][0]["against"] == "real lenses"
    assert len(list(tmp_path.glob("*.png"))) == 1
