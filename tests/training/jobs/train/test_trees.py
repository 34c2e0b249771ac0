"""Training trees on the blocks of features that the settings name."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lens_triage.training.jobs import (
    score as scoring,
)
from lens_triage.training.jobs import (
    train as fit,
)
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.errors import BadInputError
from lensing_core.features import BLOCKS
from lensing_core.store import open_database
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
    scoring.run(make_context(score), score)
    with open_database(workspace).session() as session:
        ensemble = session.scalars(select(Ensemble)).one()
        manifest = ensemble.members[0].model.manifest
        probabilities = [s.probability for s in session.scalars(select(Score))]
    assert manifest["features"]["blocks"] == list(BLOCKS)
    assert manifest["features"]["version"].startswith("grid-1+segments-1")
    assert len(probabilities) == 60
    assert max(probabilities) > 10 * min(probabilities)
