"""Members side by side: the same outputs whether features come from processes or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lensing_core.cutouts import CutoutGeometry
from lensing_core.features import ClassicFeatures
from lensing_core.models import predictors as module
from lensing_core.models.classic import ClassicMember, train_trees
from lensing_core.models.contract import InputContract
from lensing_core.models.deep import DeepMember, ImageScaling
from lensing_core.models.files import StoredMember
from lensing_core.models.networks import NetworkSpec, build_network
from lensing_core.models.predictors import Predictors

GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 32, 0.168, "flux", (27.0,) * 2, (0.7,) * 2)


@pytest.fixture(scope="module")
def flux() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((80, 2, 32, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def members(flux) -> list[StoredMember]:
    compute = ClassicFeatures(GEOMETRY)
    table = compute(flux)
    labels = (table[:, 0] > np.median(table[:, 0])).astype(np.int64)
    booster = train_trees(
        (table, labels), (table, labels), names=compute.schema.names, learning_rate=0.1, leaves=4,
        rounds=20, patience=20, seed=0, threads=1,
    )  # fmt: skip
    contract = InputContract.of(GEOMETRY)
    torch.manual_seed(0)
    spec = NetworkSpec("resnet10t", 2, 32, options={"timm": {"channels": (8, 8, 16, 16)}})
    network = DeepMember(contract, spec, build_network(spec), ImageScaling((1.0, 1.0)))
    return [
        StoredMember("trees", ClassicMember(contract, booster, compute.to_json()), {}),
        StoredMember("network", network, {}),
    ]


def outputs(members: list[StoredMember], flux: np.ndarray, rows: int) -> dict[str, np.ndarray]:
    with Predictors.open(members, GEOMETRY, "mine", rows) as predictors:
        assert not predictors.conditioned
        begun = [predictors.begin(part, None) for part in (flux[:70], flux[70:])]
        return {
            key: np.concatenate([outcome[key]().logit for outcome in begun]) for key in begun[0]
        }


def test_many_rows_are_scored_as_few_are(members, flux):
    threads = torch.get_num_threads()
    few, many = (outputs(members, flux, rows) for rows in (len(flux), module.FROM_ROWS))
    assert torch.get_num_threads() == threads
    assert set(few) == {"trees", "network"}
    np.testing.assert_array_equal(many["trees"], few["trees"])
    np.testing.assert_allclose(many["network"], few["network"], atol=1e-4)


@pytest.mark.parametrize(
    ("cores", "device", "expected"),
    [(1, "cpu", (1, 1)), (2, "cpu", (1, 1)), (16, "cpu", (8, 8)), (16, "cuda", (15, 1))],
)
def test_cores_are_shared_out(members, monkeypatch, cores, device, expected):
    monkeypatch.setattr(module, "available_cores", lambda: cores)
    trees, network = members
    there = [trees, replace(network, member=replace(network.member, device=device))]
    assert module._shared_out(there, 10_000) == expected
    assert module._shared_out(there, 100) == (0, cores)
    assert module._shared_out([network], 10_000) == (0, cores)
    assert module._shared_out([trees], 10_000) == (cores, 1)
