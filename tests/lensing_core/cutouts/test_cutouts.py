from __future__ import annotations

import json

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter, cutout_sha256
from lensing_core.errors import BadInputError, NotFoundError


def geometry(**changes) -> CutoutGeometry:
    values = {
        "survey": "hsc",
        "bands": ("g", "r"),
        "size_px": 8,
        "pixel_scale_arcsec": 0.168,
        "pixel_kind": "flux",
        "zero_points_mag": (27.0, float("nan")),
        "psf_fwhm_arcsec": (0.8, 0.7),
    }
    return CutoutGeometry(**{**values, **changes})


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(10, 2, 8, 8)).astype("f4")


@pytest.fixture
def store(tmp_path, pixels) -> CutoutStore:
    writer = CutoutWriter(tmp_path / "cat", geometry())
    writer.write_shard(0, pixels[:4])
    writer.write_shard(1, pixels[4:5])
    writer.write_shard(2, pixels[5:])
    return CutoutStore(tmp_path / "cat")


def test_geometry_round_trips_with_nan(tmp_path):
    CutoutWriter(tmp_path / "cat", geometry())
    read = CutoutGeometry.read(tmp_path / "cat")
    assert read.to_json() == geometry().to_json()
    assert np.isnan(read.zero_points_mag[1])
    assert read.size_arcsec == pytest.approx(8 * 0.168)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": ("g", "g")}, "each once"),
        ({"bands": ()}, "at least one"),
        ({"size_px": 4}, "at least 8"),
        ({"pixel_scale_arcsec": 0.0}, "outside"),
        ({"zero_points_mag": (27.0,)}, "1 values for 2 bands"),
    ],
)
def test_bad_geometry(changes, message):
    with pytest.raises(BadInputError, match=message):
        geometry(**changes)


def test_reading_is_the_writing(store, pixels):
    assert len(store) == 10
    for k in range(10):
        np.testing.assert_array_equal(store.read(k), pixels[k])
    order = [9, 0, 4, 4, 5, 3]
    np.testing.assert_array_equal(store.read_many(order), pixels[order])
    assert store.read_many([]).shape == (0, 2, 8, 8)


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_batches_cover_all_in_order(store, pixels, size):
    starts, parts = zip(*store.batches(size), strict=True)
    np.testing.assert_array_equal(np.concatenate(parts), pixels)
    assert list(starts) == list(np.cumsum([0, *map(len, parts)])[:-1])
    assert max(map(len, parts)) <= size
    middle = np.concatenate([part for _, part in store.batches(size, start=3, stop=7)])
    np.testing.assert_array_equal(middle, pixels[3:7])


def test_shards_are_plain_npy(store, tmp_path, pixels):
    np.testing.assert_array_equal(
        np.load(tmp_path / "cat" / "shard-00002.npy", allow_pickle=False), pixels[5:]
    )


@pytest.mark.parametrize("index", [-1, 10])
def test_an_index_outside_is_said(store, index):
    with pytest.raises(NotFoundError, match="there are 10"):
        store.read(index)
    with pytest.raises(NotFoundError):
        store.read_many([0, index])


def test_a_shard_without_its_sidecar_does_not_exist(store, tmp_path):
    (tmp_path / "cat" / "shard-00002.json").unlink()
    store.refresh()
    assert len(store) == 5


def test_a_missing_shard_file_is_an_error(store, tmp_path):
    (tmp_path / "cat" / "shard-00001.npy").unlink()
    store.refresh()
    with pytest.raises(NotFoundError, match=r"shard-00001\.npy is missing"):
        store.read(4)


def test_variance_and_psf_come_back(tmp_path, pixels):
    writer = CutoutWriter(tmp_path / "cat", geometry())
    psf = np.ones((10, 2, 5, 5), "f4")
    writer.write_shard(0, pixels, variance=pixels**2, psf=psf)
    store = CutoutStore(tmp_path / "cat")
    assert store.has_variance
    np.testing.assert_array_equal(store.read_variance(7), pixels[7] ** 2)
    assert store.read_psf(0).shape == (2, 5, 5)
    writer.write_shard(0, pixels)  # written again without: the old variance must not stay
    store.refresh()
    assert not store.has_variance


def test_another_geometry_is_refused(store, tmp_path):
    with pytest.raises(BadInputError, match="another geometry"):
        CutoutWriter(tmp_path / "cat", geometry(pixel_scale_arcsec=0.2))


@pytest.mark.parametrize("shape", [(0, 2, 8, 8), (3, 1, 8, 8), (3, 2, 9, 8), (2, 8, 8)])
def test_a_wrong_shape_is_refused(tmp_path, shape):
    writer = CutoutWriter(tmp_path / "cat", geometry())
    with pytest.raises(BadInputError, match="expected"):
        writer.write_shard(0, np.zeros(shape, "f4"))
    assert len(CutoutStore(tmp_path / "cat")) == 0


def test_drop_from_removes_what_was_never_recorded(store, tmp_path):
    CutoutWriter(tmp_path / "cat", geometry()).drop_from(1)
    store.refresh()
    assert len(store) == 4


def test_an_unknown_format_is_refused(tmp_path):
    CutoutWriter(tmp_path / "cat", geometry())
    header = tmp_path / "cat" / "catalog.json"
    header.write_text(json.dumps({**json.loads(header.read_text()), "format": 99}))
    with pytest.raises(BadInputError, match="format 99"):
        CutoutStore(tmp_path / "cat")


def test_sha256_depends_on_pixels_only(pixels):
    assert cutout_sha256(pixels[0]) == cutout_sha256(np.asfortranarray(pixels[0]))
    assert cutout_sha256(pixels[0]) != cutout_sha256(pixels[1])
