"""The probe as a PU method, and the same probe on the columns that it chose."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.pu.best_probe import BestProbe, columns_used, without_columns
from lensing_core.pu.contract import PUModel
from lensing_core.pu.probe_data import ColumnBlock, ProbeInput

ENCODER = ProbeInput("encoder", (ColumnBlock("encoder", "embedding", 3, 8),))
NOISE = ProbeInput("noise", (ColumnBlock("noise", "features", 0, 3),))


@pytest.fixture(scope="module")
def fitted() -> tuple[np.ndarray, np.ndarray, PUModel]:
    """Forty lenses of 160 objects, which the columns of an encoder tell."""
    rng = np.random.default_rng(4)
    s = (np.arange(160) % 4 == 0).astype(np.int64)
    x = rng.standard_normal((160, 8)).astype(np.float32)
    x[:, 3:] += 1.5 * s[:, None]
    model = BestProbe((NOISE, ENCODER), seed=1).fit(x, s, groups=np.arange(160) // 2)
    return x, s, model


def test_it_tells_which_columns_it_chose_and_how_good_each_choice_was(fitted):
    x, s, model = fitted
    assert columns_used(model).tolist() == [False] * 3 + [True] * 5
    assert model.prior.value == pytest.approx(0.25)  # the labeled ones alone count as lenses
    assert [choice["name"] for choice in model.choices if choice["chosen"]] == ["encoder"]
    noise, encoder = (choice["auroc"] for choice in model.choices)
    assert encoder > 0.9 > 0.7 > noise
    decision = model.decision(x)
    assert np.median(decision[s == 1]) > np.median(decision[s == 0]) + 1


def test_columns_of_weight_zero_may_go(fitted):
    x, _, model = fitted
    used = np.flatnonzero(columns_used(model))
    narrow = without_columns(model, used)
    assert narrow.columns == 5
    np.testing.assert_allclose(narrow.decision(x[:, used]), model.decision(x), atol=1e-5)
