"""Training trees on the blocks of features that the settings name."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from lens_triage.training.checks.ensembles import check_score
from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.errors import BadInputError, ContractError
from lensing_core.features import BLOCKS
from lensing_core.store import open_database
from lensing_core.store.managing import delete_catalog
from lensing_core.store.tables import Ensemble, Score


def tree_settings(**changes) -> TrainSettings:
    quick = {"ensemble": "e1", "catalogs": ["train"], "members": ["trees"], "rounds": 30}
    return TrainSettings(**{**quick, **changes})


def test_the_settings_offer_every_block():
    assert TrainSettings.param.feature_blocks.objects == list(BLOCKS)
    with pytest.raises(BadInputError, match="feature_blocks"):
        tree_settings(feature_blocks=[]).check()


def test_blocks_are_stored_with_the_model_and_used_to_score(workspace, make_catalog, make_context):
    make_catalog("train", 300, seed=1)
    make_catalog("survey", 60, seed=2, labeled=False)
    settings = tree_settings(feature_blocks=list(BLOCKS), balanced_trees=True)
    fit.run(make_context(settings), settings)
    score = ScoreSettings(ensemble="e1", catalog="survey", batch_size=32)
    result = scoring.run(make_context(score), score)
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        manifest = ensemble.members[0].model.manifest
        probabilities = [s.probability for s in session.scalars(select(Score))]
    assert manifest["features"]["blocks"] == list(BLOCKS)
    assert manifest["features"]["version"].startswith("grid-1+segments-1")
    assert len(probabilities) == 60
    assert max(probabilities) > 10 * min(probabilities)
    shift = result["shift"]["survey"]
    assert [d["columns"] for d in shift["domains"]] == [
        "measured",
        f"features of {ensemble_model(workspace)}",
    ]
    assert not [s for s in shift["alarms"] if "zero point" in s]
    refused_in_another_unit(workspace, make_catalog)


def ensemble_model(workspace) -> str:
    with open_database(workspace).session() as session:
        return session.scalars(select(Ensemble)).one().members[0].model_id


def refused_in_another_unit(workspace, make_catalog) -> None:
    """The same sky with flux 500 times smaller and the zero point left as it was."""
    make_catalog("unit", 60, seed=2, labeled=False)
    (shard,) = workspace.catalog_cutouts("unit").glob("shard-*0.npy")
    np.save(shard, np.load(shard) / np.float32(500))
    asked = {"ensemble": "e1", "catalog": "unit"}
    with pytest.raises(ContractError, match=r"wrong zero point .*any_scale"):
        check_score(workspace, ScoreSettings(**asked))
    check_score(workspace, ScoreSettings(**asked, any_scale=True))
    with open_database(workspace).session() as session:  # as the sentence says: imported anew
        delete_catalog(session, workspace, "unit")
    make_catalog("unit", 60, seed=2, labeled=False)
    check_score(workspace, ScoreSettings(**asked))
