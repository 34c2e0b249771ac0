from __future__ import annotations

import h5py
import numpy as np
import pytest

from lensing_core.errors import BadInputError
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.stacks import PictureStack, Stack, open_array, picture_axis
from lensing_core.surveys import get_survey

N, BANDS, SIZE = 6, 3, 9


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(N, BANDS, SIZE, SIZE)).astype("f4")


def stack(path, **more):
    bands = ("g", "r", "i")
    calibration = BandCalibration(get_survey("hsc"), bands, (None,) * 3, (None,) * 3)
    options = {"planes": (0, 1, 2), "axis": "first", "n_planes": 3, **more}
    return Stack(Locator(path), calibration, **options)


def read(source, index):
    row = RowRequest(0, "a", stack_index=index)
    return np.stack([image.data for image in source.load(row)])


def save(path, kind, pixels):
    if kind == "npy":
        np.save(path, pixels)
    elif kind == "npz":
        np.savez(path, images=pixels, labels=np.arange(N))
    elif kind == "compressed":
        np.savez_compressed(path, images=pixels)
    else:
        with h5py.File(path, "w") as file:
            file["group/images"] = pixels
            file["labels"] = np.arange(N)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.npy", "npy"), ("a.npz", "npz"), ("a.npz", "compressed"), ("a.h5", "h5")]
)
def test_rows_of_any_format(tmp_path, pixels, name, kind):
    save(tmp_path / name, kind, pixels)
    for index in (0, 3, N - 1):
        np.testing.assert_array_equal(read(stack(tmp_path / name), index), pixels[index])


def test_uncompressed_npz_is_mapped_not_loaded(tmp_path, pixels):
    path = tmp_path / "a.npz"
    np.savez(path, first=np.ones(1000), images=pixels)
    array = open_array(path, "images")
    assert isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, pixels)
    fortran = tmp_path / "f.npz"
    np.savez(fortran, images=np.asfortranarray(pixels))
    np.testing.assert_array_equal(open_array(fortran), pixels)


def test_band_axis_last_and_chosen_planes(tmp_path, pixels):
    path = tmp_path / "a.npy"
    np.save(path, np.moveaxis(pixels, 1, -1))
    np.testing.assert_array_equal(read(stack(path, axis="last"), 2), pixels[2])
    chosen = read(stack(path, axis="last", planes=(2, 0, 1), n_planes=0), 2)
    np.testing.assert_array_equal(chosen, pixels[2][[2, 0, 1]])


def test_without_an_index_the_row_number_counts(tmp_path, pixels):
    np.save(tmp_path / "a.npy", pixels)
    images = stack(tmp_path / "a.npy").load(RowRequest(4, "a"))
    np.testing.assert_array_equal(images[1].data, pixels[4, 1])


@pytest.mark.parametrize("index", [-1, N])
def test_a_row_beyond_the_end(tmp_path, pixels, index):
    np.save(tmp_path / "a.npy", pixels)
    with pytest.raises(RowRejected, match=f"there is no row {index}") as bad:
        read(stack(tmp_path / "a.npy"), index)
    assert bad.value.reason == "missing_file"


def test_wrong_number_of_planes(tmp_path, pixels):
    np.save(tmp_path / "a.npy", pixels[:, :2])
    with pytest.raises(RowRejected, match="has 2 planes; 3 were expected") as bad:
        read(stack(tmp_path / "a.npy"), 0)
    assert bad.value.reason == "wrong_band_count"


def test_files_that_are_no_arrays(tmp_path, pixels):
    path = tmp_path / "cut.npy"
    np.save(path, pixels)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RowRejected) as bad:
        open_array(path)
    assert bad.value.reason == "unreadable_file"
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(RowRejected) as bad:
        open_array(tmp_path / "junk.npz")
    assert bad.value.reason == "unreadable_file"
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(RowRejected) as bad:
        open_array(tmp_path / "pickle.npy")
    assert bad.value.reason == "unreadable_file"
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    with pytest.raises(RowRejected) as bad:
        open_array(tmp_path / "text.npy")
    assert bad.value.reason == "unsupported_format"


def test_which_array_is_meant(tmp_path, pixels):
    path = tmp_path / "a.npz"
    np.savez(path, images=pixels, noise=pixels)
    with pytest.raises(BadInputError, match=r"say which array .* images \(6, 3, 9, 9\), noise"):
        open_array(path)
    with pytest.raises(BadInputError, match="no array 'flux'"):
        open_array(path, "flux")
    assert open_array(path, "noise").shape == pixels.shape


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed", "h5"])
@pytest.mark.parametrize("axis", ["first", "last"])
@pytest.mark.parametrize("n_colors", [3, 4])
def test_bytes_with_colors_are_pictures(tmp_path, kind, axis, n_colors):
    pictures = np.random.default_rng(8).integers(0, 256, (N, 10, 12, n_colors), dtype="u1")
    path = tmp_path / "stack"  # the content tells what it is
    stored = np.moveaxis(pictures, -1, 1) if axis == "first" else pictures
    name = path.with_suffix({"npy": ".npy", "h5": ".h5"}.get(kind, ".npz"))
    save(name, kind, stored)
    name.rename(path)
    assert picture_axis(stored.dtype, stored.shape[1:]) == axis
    found = PictureStack(Locator(path), 0.2, axis, frame_px=1)
    bands = found.load(RowRequest(0, "a", stack_index=4))
    wanted = pictures[4, 1:-1, 1:-1].astype("f4")
    if n_colors == 4:
        wanted[wanted[..., 3] == 0] = np.nan
    for k, band in enumerate(bands):
        np.testing.assert_array_equal(band.data, wanted[..., k])
        assert np.isnan(band.zero_point_mag)


@pytest.mark.parametrize(
    ("kind", "shape"), [("f4", (9, 9, 3)), ("u2", (9, 9, 3)), ("u1", (9, 9)), ("u1", (9, 9, 5))]
)
def test_other_arrays_are_no_pictures(kind, shape):
    assert picture_axis(np.dtype(kind), shape) is None
