"""Every lens against non-lenses alike: closed forms, and baselines that it takes apart."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.evaluation import (
    Appearance,
    baseline_scores,
    compare_measured,
    matched_separation,
    measure_appearance,
    measure_scores,
    realism_gate,
    recall_by_class,
)
from lensing_core.evaluation.matched import find_matches


def bright_lenses(n: int = 300, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Lenses are brighter by 1; ``arc`` tells them apart at equal brightness, too."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    brightness = rng.standard_normal(n) + labels
    arc = rng.standard_normal(n) + 1.5 * labels
    return labels, brightness[:, None], arc, np.arange(n) // 2


def test_neighbors_are_the_nearest_non_lenses():
    properties = np.array([[0.0], [1.0], [1.1], [5.0], [5.2], [9.0]])
    labels = np.array([1, 0, 0, 0, 1, 0])
    found = find_matches(properties, labels, k=2)
    assert found.lens.tolist() == [0, 4]
    assert [sorted(row) for row in found.neighbor.tolist()] == [[1, 2], [3, 5]]
    scores = np.array([3.0, 3.0, 1.0, 8.0, 7.0, 2.0])
    assert found.above(scores).tolist() == [0.75, 0.5]


def test_brightness_cannot_flatter_a_matched_separation():
    labels, brightness, arc, groups = bright_lenses(3000)
    by_light = measure_scores(brightness[:, 0], labels, brightness, groups, n_bootstrap=50)
    by_arc = measure_scores(arc, labels, brightness, groups, n_bootstrap=50)
    assert by_light.metrics["auroc"].value > 0.72
    assert by_light.matched.value == pytest.approx(0.5, abs=0.08)
    assert by_arc.matched.value == pytest.approx(0.856, abs=0.03)  # Φ(1.5 / √2)
    assert by_arc.matched.low_95 < by_arc.matched.value < by_arc.matched.high_95


def test_rates_that_few_non_lenses_cannot_show_are_not_measurable():
    labels, brightness, arc, groups = bright_lenses(150)
    metrics = measure_scores(arc, labels, brightness, groups, n_bootstrap=20).metrics
    assert np.isnan(metrics["recall_fpr_0.001"].value)
    assert np.isfinite(metrics["recall_fpr_0.1"].value)


def test_differences_are_paired():
    labels, brightness, arc, groups = bright_lenses()
    same = compare_measured(arc, arc, labels, brightness, groups, n_bootstrap=50)
    assert all(d.value == d.low_95 == d.high_95 == 0 for d in (same["auroc"], same["matched"]))
    better = compare_measured(brightness[:, 0], arc, labels, brightness, groups, n_bootstrap=50)[
        "matched"
    ]
    assert better.low_95 > 0


def test_too_few_are_refused():
    with pytest.raises(BadInputError, match="1 lenses and 2 non-lenses"):
        matched_separation([1, 2, 3], [1, 0, 0], np.zeros((3, 1)), [0, 1, 2])


def test_recall_by_how_visible_arcs_are():
    scores = np.concatenate([np.arange(100.0), [200, 300, 50]])
    labels = np.repeat([0, 1], [100, 3])
    rows = recall_by_class(scores, labels, [None] * 100 + ["clear", "clear", "no"])
    assert [(r["name"], r["found"], r["lenses"]) for r in rows] == [("clear", 2, 2), ("no", 0, 1)]


class TestAppearance:
    GEOMETRY = CutoutGeometry("hsc", ("g", "r"), 41, 0.2, "flux", (25.0, 27.5), (0.7,) * 2)

    def galaxy(self, sigma_arcsec: float = 0.6, flux: float = 100.0) -> np.ndarray:
        axis = (np.arange(41) - 20) * 0.2
        blob = np.exp(-0.5 * (np.hypot(axis[:, None], axis) / sigma_arcsec) ** 2)
        blob *= flux / blob.sum()
        return np.stack([blob, 20 * blob])[None].astype("f4")  # 2 fold in units of one zero point

    def test_brightness_color_and_size_of_a_gaussian(self):
        found = measure_appearance(self.galaxy(), self.GEOMETRY)
        assert found.brightness[0, 0] == pytest.approx(np.log10(300), abs=0.01)
        assert found.color[0, 0] == pytest.approx(np.log10(2), abs=1e-3)
        assert found.size[0, 0] == pytest.approx(np.log10(0.6 * 1.1774), abs=0.06)
        assert found.center.shape == (1, 50)

    def test_sky_does_not_count_and_a_missing_band_is_finite(self):
        plain = measure_appearance(self.galaxy(), self.GEOMETRY)
        sky = measure_appearance(self.galaxy() + 7, self.GEOMETRY)
        np.testing.assert_allclose(sky.matching, plain.matching, atol=1e-3)
        holes = self.galaxy()
        holes[:, 1] = np.nan
        assert np.isfinite(measure_appearance(holes, self.GEOMETRY).matching).all()

    def test_catalogs_measured_apart_have_one_unit(self):
        first, second = self.galaxy(flux=100.0) + 1, self.galaxy(flux=9000.0)
        apart = [measure_appearance(flux, self.GEOMETRY) for flux in (first, second)]
        together = measure_appearance(np.concatenate([first, second]), self.GEOMETRY)
        np.testing.assert_array_equal(Appearance.concatenate(apart).center, together.center)

    def test_baselines_learn_their_sign_out_of_fold(self):
        faint = np.concatenate([self.galaxy(flux=f) for f in np.geomspace(50, 500, 60)])
        noise = np.random.default_rng(0).normal(0, 0.05, faint.shape)
        appearance = measure_appearance((faint + noise).astype("f4"), self.GEOMETRY)
        labels = (np.arange(60) < 30).astype(int)  # lenses are the faint ones
        found = baseline_scores(appearance, labels, np.arange(60))
        assert set(found) == {"brightness", "color", "center"}
        assert found["brightness"][labels == 1].mean() > found["brightness"][labels == 0].mean()


class TestRealism:
    def test_what_is_alike_passes_and_what_is_not_is_named(self):
        rng = np.random.default_rng(1)
        painted = np.arange(120) % 2 == 0
        alike = rng.standard_normal((120, 6)).astype("f4")
        apart = alike + 2.5 * painted[:, None].astype("f4")
        apart[8] += 6  # the worst of them
        gates = realism_gate({"alike": alike, "apart": apart}, painted, np.arange(120) // 2)
        assert gates[0].passed
        assert not gates[1].passed
        assert gates[0].low_95 < 0.6
        assert gates[1].auroc > 0.95
        assert gates[1].giveaways[0] == 8
        assert "above the limit of 0.8" in gates[1].sentence

    def test_it_needs_some_of_each(self):
        with pytest.raises(BadInputError, match="3 painted and 47 real"):
            realism_gate({"x": np.zeros((50, 2), "f4")}, np.arange(50) < 3, np.arange(50))
