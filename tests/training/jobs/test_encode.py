"""Encoding a catalog: embeddings stored as those of other members, resumed and reused."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from lens_triage.training.checks import check_run
from lens_triage.training.jobs import encode
from lens_triage.training.runner.context import Cancelled
from lens_triage.training.settings import EncodeSettings
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.models.outputs import StoredOutputs, rows_stored
from lensing_core.neighbors import NeighborIndex
from lensing_core.store import open_database
from lensing_core.store.encoders import encoders_of
from lensing_core.store.tables import Model


@pytest.fixture
def settings(tmp_path) -> EncodeSettings:
    """A small network with random weights."""
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), path)
    return EncodeSettings(
        catalog="survey",
        encoder="test_efficientnet",
        weights=str(path),
        input_px=32,
        batch_size=16,
        device="cpu",
    )


def test_embeddings_are_stored_and_serve_look_alikes(
    workspace, make_catalog, make_context, settings
):
    make_catalog("survey", 60, 1)
    check_run(workspace, settings)
    result = encode.run(make_context(settings), settings)
    assert (result["encoded"], result["catalogs"]) == (60, ["survey"])
    stored = StoredOutputs.read(workspace, result["model"], "survey", 60)
    assert stored.embedding.shape == (60, result["dimensions"])
    assert np.isfinite(stored.embedding[:]).all()
    assert (stored.logit[:] == 0).all()

    database = open_database(workspace)
    with database.session() as session:
        assert session.get(Model, result["model"]).kind == "encoder"
        assert encoders_of(session, workspace, ["survey"]) == [result["model"]]
        assert encoders_of(session, workspace, ["survey"], ["test_efficientnet"])
        with pytest.raises(NotFoundError, match="No encoder zoobot has encoded survey"):
            encoders_of(session, workspace, ["survey"], ["zoobot"])
    index = NeighborIndex(workspace, database)
    labeled = index.labeled(result["model"])
    assert len(labeled.candidate_id) == 60
    nearest = labeled.nearest(stored.embedding[0], 3, without=int(labeled.candidate_id[0]))
    assert len(nearest) == 6


def test_a_second_run_takes_the_same_encoder_and_encodes_what_is_new(
    workspace, make_catalog, make_context, settings
):
    make_catalog("survey", 20, 1)
    make_catalog("other", 12, 2)
    first = encode.run(make_context(settings), settings)
    settings.param.update(additional_catalogs=["other"])
    second = encode.run(make_context(settings, "again"), settings)
    assert second["model"] == first["model"]
    assert second["encoded"] == 12
    settings.param.update(views="1", additional_catalogs=[])
    third = encode.run(make_context(settings, "third"), settings)
    assert third["model"] != first["model"]


def test_a_cancelled_run_goes_on_where_it_stopped(
    workspace, make_catalog, make_context, settings, monkeypatch
):
    make_catalog("survey", 40, 1)
    context = make_context(settings)
    progress = context.progress

    def stop(done, total=None, activity=None):
        if done >= 32:
            raise Cancelled
        progress(done, total, activity)

    monkeypatch.setattr(context, "progress", stop)
    with pytest.raises(Cancelled):
        encode.run(context, settings)
    with open_database(workspace).session() as session:
        (model,) = session.query(Model).all()
        model_id = model.id
    assert rows_stored(workspace, model_id, "survey") == 32
    result = encode.run(make_context(settings), settings)
    assert (result["model"], result["encoded"]) == (model_id, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"catalog": "none"}, "There is no catalog"),
        ({"encoder": "resnet_of_nobody"}, "is unknown"),
        ({"weights": "/nowhere.pt"}, "there is no file /nowhere.pt"),
        ({"crops": ["wide"]}, "give sides in arcsec"),
    ],
)
def test_what_cannot_succeed_is_refused(workspace, make_catalog, settings, change, message):
    make_catalog("survey", 12, 1)
    settings.param.update(**change)
    with pytest.raises((BadInputError, NotFoundError), match=message):
        check_run(workspace, settings)
