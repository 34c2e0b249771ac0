"""Training an ensemble with a frozen encoder: a head on few labels, calibrated and scored."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from lens_triage.training.jobs import score as scoring
from lens_triage.training.jobs import train as fit
from lens_triage.training.settings import ScoreSettings, TrainSettings
from lensing_core.errors import BadInputError
from lensing_core.models.encoders import EncoderMember
from lensing_core.models.files import load_member
from lensing_core.models.outputs import StoredOutputs
from lensing_core.store import open_database
from lensing_core.store.tables import Score


def test_an_encoder_gets_a_head_and_scores(workspace, make_catalog, make_context, tmp_path):
    torch.manual_seed(0)
    weights = tmp_path / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), weights)
    labels = make_catalog("labeled", 240, 1)
    settings = TrainSettings(
        ensemble="frozen",
        catalogs=["labeled"],
        members=["encoder"],
        encoder=["test_efficientnet"],
        weights=str(weights),
        input_px=32,
        views="1",
        device="cpu",
    )
    settings.check()
    result = fit.run(make_context(settings), settings)
    (model,) = result["members"]
    member = load_member(workspace, model).member
    assert isinstance(member, EncoderMember)
    assert member.head is not None
    assert result["figures"]["auroc"]["value"] > 0.7  # random filters see rings, too
    score = ScoreSettings(ensemble="frozen", catalog="labeled", device="cpu")
    scoring.run(make_context(score, "score"), score)
    stored = StoredOutputs.read(workspace, model, "labeled", 240)
    logit = stored.logit[:]
    assert logit[labels == 1].mean() > logit[labels == 0].mean()
    with open_database(workspace).session() as session:
        distances = [row.ood_distance for row in session.query(Score)]
    assert np.isfinite(np.array(distances, dtype=float)).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoder": ["efficientnet_lite0"]}, "encoder: name at least one if"),
        ({"members": ["encoder"]}, "encoder: name at least one if"),
        ({"members": ["encoder"], "encoder": ["a", "b"], "weights": "f"}, "a file is of one"),
    ],
)
def test_settings_that_contradict_are_refused(values, message):
    with pytest.raises(BadInputError, match=message):
        TrainSettings(**values).check()
