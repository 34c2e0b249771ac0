from __future__ import annotations

import numpy as np
import pytest

from lensing_core.uncertainty.decomposition import decompose, inverse_variance_logit, mean_logit


def test_members_that_agree_have_no_epistemic_part():
    found = decompose(np.full((3, 4), 0.0))
    np.testing.assert_allclose(found.total, np.log(2))
    np.testing.assert_allclose(found.epistemic, 0, atol=1e-12)
    np.testing.assert_allclose(found.disagreement, 0)


def test_members_sure_of_opposites_have_only_an_epistemic_part():
    found = decompose([[-40.0, 40.0]])
    assert found.epistemic[0] == pytest.approx(np.log(2))
    assert found.aleatoric[0] == pytest.approx(0, abs=1e-12)
    assert found.disagreement[0] == 40


def test_parts_add_up_and_are_never_negative():
    z = np.random.default_rng(0).normal(0, 5, (10_000, 3))
    found = decompose(z)
    np.testing.assert_allclose(found.aleatoric + found.epistemic, found.total, atol=1e-12)
    assert (found.epistemic >= 0).all()
    assert np.isfinite(decompose([[800.0, -800.0]]).total).all()


def test_inverse_variance_weights_are_per_object():
    z = np.array([[0.0, 1.0], [0.0, 1.0]])
    fused = inverse_variance_logit(z, [[1.0, 1e9], [1e9, 1.0]], floor=0.0)
    np.testing.assert_allclose(fused, [0, 1], atol=1e-8)
    np.testing.assert_allclose(inverse_variance_logit(z, np.ones_like(z)), mean_logit(z))
    # no variance at all is as good as equal variances, not infinite trust
    np.testing.assert_allclose(inverse_variance_logit(z, np.zeros_like(z)), mean_logit(z))
