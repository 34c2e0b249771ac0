"""Segments and their features, against arcs that were painted."""

from __future__ import annotations

import numpy as np
import pytest
import sep
from scipy.ndimage import gaussian_filter

from lensing_core.features import CutoutBatch, SegmentFeatures, segments
from lensing_core.features.composition import count_unsegmented


@pytest.fixture(scope="module")
def features(geometry) -> SegmentFeatures:
    return SegmentFeatures(geometry)


def columns(features: SegmentFeatures, flux: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(features.schema.names, features(flux).T, strict=True))


def test_a_painted_arc_is_measured(geometry, lens):
    found = CutoutBatch(lens, geometry).segments
    assert (found.count >= 2).all()
    first = found.rank == 0
    angle = np.arctan2(found.y[first], found.x[first])
    np.testing.assert_allclose(angle, 0.2, atol=0.06)
    # The mean of an arc of opening 1.5 lies at sin(0.75) / 0.75 of its radius.
    np.testing.assert_allclose(found.radius[first], 2.0 * np.sin(0.75) / 0.75, rtol=0.05)
    assert np.median(found.curvature[first]) == pytest.approx(1 / 2.0, rel=0.1)
    np.testing.assert_allclose(found.curvature[first], 1 / 2.0, rtol=0.2)
    np.testing.assert_allclose(found.length[first], 2.0 * 1.5, rtol=0.15)
    np.testing.assert_allclose(found.alignment[first], 1, atol=0.02)
    counter = found.rank == 1
    np.testing.assert_allclose(found.x[counter], -1.5 * np.cos(0.2), atol=0.15)


@pytest.mark.parametrize("radius", [1.5, 2.5, 3.5])
def test_radius_and_alignment_follow_the_arc(features, arc, galaxy, radius):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((8, 3, 60, 60))
    around = (galaxy(40) + arc(radius, 1.4, 1.0, 15) + noise).astype(np.float32)
    found = columns(features, around)
    # The shortest of these arcs is less than twice as long as wide.
    assert np.median(found["arc_curvature"]) == pytest.approx(1 / radius, rel=0.15)
    assert np.median(found["arc_tangential_alignment"]) > 0.95
    assert np.median(found["arc_concavity"]) == pytest.approx(np.sin(0.7) / 0.7, abs=0.15)


def test_arcs_that_are_no_images_have_other_values(features, arc, galaxy):
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((8, 3, 60, 60))
    turned_away = arc(2.0, 1.2, np.pi, 15, around=(4.5, 0.0))  # convex towards the center
    found = columns(features, (galaxy(40) + turned_away + noise).astype(np.float32))
    assert np.median(found["arc_concavity"]) < -0.5
    axis = np.arange(60) - 29.5
    spoke = 15 * np.exp(-(axis[:, None] ** 2) / 6) * ((axis > 9) & (axis < 24))
    found = columns(features, (galaxy(40) + spoke + noise).astype(np.float32))
    assert np.median(found["segment_tangential_alignment"]) < -0.9


def test_a_system_of_two_images_says_so(features, lens):
    found = columns(features, lens)
    assert np.median(found["segment_count"]) == 2
    np.testing.assert_allclose(found["segment_opposition"], 1, atol=0.1)
    expected = 2.0 * np.sin(0.75) / 0.75 + 1.5
    assert np.median(found["segment_separation_max"]) == pytest.approx(expected, rel=0.05)
    rms = found["segment_separation_rms"][found["segment_count"] == 2]
    largest = found["segment_separation_max"][found["segment_count"] == 2]
    np.testing.assert_allclose(rms, largest, rtol=1e-5)  # two points have one distance
    assert np.median(found["arc_radius"]) == pytest.approx(expected - 1.5, rel=0.05)
    np.testing.assert_allclose(found["brightest_offset"], 0.12, atol=0.3)


def test_a_quarter_turn_and_a_mirror_change_nothing(features, lens):
    plain = features(lens)
    for turned in (np.rot90(lens, axes=(2, 3)), np.rot90(lens, 2, axes=(2, 3)), lens[..., ::-1]):
        np.testing.assert_allclose(features(turned), plain, rtol=5e-3, atol=5e-3)


def test_the_unit_of_the_flux_does_not_matter(features, lens):
    np.testing.assert_allclose(features(lens * 37), features(lens), rtol=5e-3, atol=5e-3)


def test_a_batch_is_its_cutouts(features, lens):
    alone = np.concatenate([features(lens[k : k + 1]) for k in range(len(lens))])
    np.testing.assert_allclose(features(lens), alone, rtol=1e-5, atol=1e-6)


def test_nothing_there_is_nothing_found(features):
    rng = np.random.default_rng(3)
    found = columns(features, rng.standard_normal((10, 3, 60, 60)).astype(np.float32))
    assert np.median(found["segment_count"]) == 0
    none = found["segment_count"] == 0
    assert (found["arc_length"][none] == 0).all()
    assert (found["segment_total_length"][none] == 0).all()
    assert np.isnan(found["arc_curvature"][none]).all()
    assert np.isnan(found["segment_separation_rms"][none]).all()


def test_missing_data(features, lens):
    gap = lens.copy()
    gap[0] = np.nan
    gap[1, 1] = np.nan
    gap[2, :, 45:, :] = np.nan
    table = features(gap)
    assert np.isnan(table[0]).all()
    known = dict(zip(features.schema.names, table.T, strict=True))
    assert known["arc_curvature"][1] == pytest.approx(0.5, rel=0.25)
    assert known["arc_curvature"][2] == pytest.approx(0.5, rel=0.25)
    np.testing.assert_array_equal(table[3:], features(lens)[3:])


def test_the_schema_fits_the_table(features, lens):
    assert features(lens).shape == (8, len(features.schema))
    assert features(lens[:0]).shape == (0, len(features.schema))
    assert len(set(features.schema.names)) == len(features.schema.units) == len(features.schema)
    assert set(features.monotone) <= set(features.schema.names)


def speckled(n: int, side: int) -> np.ndarray:
    """Significance of images in which one connected object has thousands of peaks."""
    rng = np.random.default_rng(0)
    peaks = rng.uniform(0, 1000, (n, side, side)) * (rng.random((n, side, side)) < 0.3)
    return (5 + peaks).astype(np.float32)


@pytest.mark.parametrize(("n", "size_px"), [(1, 256), (80, 64)])
def test_a_field_of_artifacts_is_one_segment_that_stops_nothing(n, size_px):
    image = speckled(n, size_px)
    # With two rows between them, cutouts of bright edges grow into one segment.
    tall = np.pad(image, ((0, 0), (0, 2), (0, 0))).reshape(-1, image.shape[2])
    sep.set_extract_pixstack(segments._PIXELS)
    with pytest.raises(Exception, match=r"overflow|buffer full"):
        sep.extract(tall, segments.THRESHOLD, err=1.0, minarea=5, deblend_cont=1.0, clean=False)
    labels, failed = segments._label(image)
    assert not failed.any()
    assert [len(np.unique(one)) for one in labels] == [1] * n
    assert len(np.unique(labels)) == n


def test_one_level_finds_the_segments_that_splitting_and_joining_found():
    rng = np.random.default_rng(1)
    smooth = [gaussian_filter(rng.normal(size=(64, 64)), s) for s in rng.uniform(0.7, 3, 32)]
    image = np.stack([5 * f / f.std() for f in smooth]).astype(np.float32)
    labels, _ = segments._label(image)
    tall = np.pad(image, ((0, 0), (0, 3), (0, 0)))
    _, split = sep.extract(
        tall.reshape(-1, 64), segments.THRESHOLD, err=1.0, minarea=5, deblend_cont=1.0,
        clean=False, segmentation_map=True,
    )  # fmt: skip
    assert labels.max() > 100
    np.testing.assert_array_equal(labels, split.reshape(tall.shape)[:, :64])


def test_a_cutout_that_fails_alone_leaves_the_others_as_they_were(
    geometry, lens, features, monkeypatch
):
    whole = features(lens)
    find = segments._extract

    def give_up(image: np.ndarray) -> np.ndarray:
        if len(image) > lens.shape[-1] + 3 or give_up.calls == 1:
            give_up.calls += 1
            raise segments.SegmentationError("object deblending overflow")
        give_up.calls += 1
        return find(image)

    give_up.calls = 0
    monkeypatch.setattr(segments, "_extract", give_up)
    again = features(lens)
    assert np.isnan(again[0]).all()
    np.testing.assert_array_equal(again[1:], whole[1:])
    assert count_unsegmented(features.schema.names, again) == 1
    assert count_unsegmented(features.schema.names, whole) == 0
    assert count_unsegmented(("grid",), again) == 0
