"""A whole search on two dozen real objects of Pan-STARRS1: paint, encode, train, score."""

from __future__ import annotations

import re

import pytest
import timm
import torch
from real_sky import add_real_sky
from safetensors.torch import save_file
from sqlalchemy import select

from lens_triage.training.checks import check_run
from lens_triage.training.jobs.search import run
from lens_triage.training.jobs.search.timing import time_painting
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import SearchSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble, rows_scored
from lensing_core.store.tables import Run, RunLog

pytestmark = pytest.mark.real
N = 24


@pytest.fixture
def sky(workspace, real_data):
    """Real objects of Pan-STARRS1 in g, r and i, without labels."""
    add_real_sky(workspace, real_data, N)


@pytest.fixture
def settings(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_file(timm.create_model("test_efficientnet").state_dict(), path)
    return SearchSettings(
        catalog="sky", ensemble="mine", hosts="all", n_hosts=N, encoder="test_efficientnet",
        weights=str(path), input_px=32, device="cpu", training_sets=2,
    )  # fmt: skip


def context_of(workspace, settings):
    with open_database(workspace).session() as session:
        if session.get(Run, "search") is None:
            values = settings.to_json()
            session.add(Run(id="search", kind="search", title="test", settings=values))
    return JobContext(workspace, "search")


def test_a_real_catalog_is_searched(workspace, sky, settings):
    check_run(workspace, settings)
    context = context_of(workspace, settings)
    result = run(context, settings)
    assert result["scored"] == N
    assert result["figures"]["auroc"]["value"] is not None
    assert set(result["baselines"]) == {"brightness", "color", "center"}
    with open_database(workspace).session() as session:
        told = session.scalars(select(RunLog.message)).all()
        gates = [
            line for line in told if re.match(r"Training set \d: (Realism by|\d+ painted)", line)
        ]
        assert len(gates) == 2  # before either set trains
        ensemble = find_ensemble(session, "mine")
        assert len(ensemble.members) == 4
        assert rows_scored(session, ensemble.id, find_catalog(session, "sky").id) == N
    painted = CutoutStore(workspace.catalog_cutouts("mine-arcs-1"))
    assert 4 < len(painted) <= N
    # What the run told beforehand: all objects are hosts, and painting was timed on some of them.
    forecast = time_painting(workspace, settings)
    assert [one.hosts(N) for one in forecast] == [N, N]
    assert all(one.timed and one.seconds > 0 for one in forecast)
    # Resuming a run that has done all changes nothing; another run may not take its name.
    assert run(context, settings)["figures"] == result["figures"]
    with pytest.raises(BadInputError, match="Ensemble mine exists"):
        check_run(workspace, settings)
