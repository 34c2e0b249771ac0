from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.pictures import Pictures
from lensing_core.ingest.rejection import RowRejected

RGB = np.random.default_rng(6).integers(0, 256, (20, 30, 3), dtype="u1")


def load(path, frame_px=0):
    images = Pictures(Locator(path.parent), 0.1, frame_px).load(RowRequest(0, "a", file=path.name))
    return np.stack([image.data for image in images], axis=-1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK"])
def test_modes(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture = Image.fromarray(RGB).convert(mode)
    picture.save(path, **({"quality": 100} if mode == "CMYK" else {}))
    with Image.open(path) as saved:
        wanted = np.asarray(saved.convert("RGB"), dtype="f4")
    np.testing.assert_array_equal(load(path), wanted)


def test_the_frame_is_cut_on_all_sides(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load(tmp_path / "a.png", 3), RGB[3:-3, 3:-3])
    with pytest.raises(RowRejected, match="30 by 20 pixels; nothing is left") as bad:
        load(tmp_path / "a.png", 10)
    assert bad.value.reason == "wrong_shape"


def test_transparent_pixels_are_no_data(tmp_path):
    alpha = np.full((20, 30, 1), 255, "u1")
    alpha[:5] = 0
    Image.fromarray(np.concatenate([RGB, alpha], axis=2)).save(tmp_path / "a.png")
    found = load(tmp_path / "a.png")
    assert np.isnan(found[:5]).all()
    np.testing.assert_array_equal(found[5:], RGB[5:])


def test_sixteen_bits_are_refused(tmp_path):
    """Converting to RGB would clip all values above 255."""
    Image.fromarray(np.full((20, 20), 1000, "u2")).save(tmp_path / "a.png")
    with pytest.raises(RowRejected, match=r"mode I;16; values above 255 would be lost") as bad:
        load(tmp_path / "a.png")
    assert bad.value.reason == "unsupported_format"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.6])
def test_truncated(tmp_path, share):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(RowRejected, match="cannot be read") as bad:
        load(path)
    assert bad.value.reason == "unreadable_file"


def test_missing(tmp_path):
    with pytest.raises(RowRejected) as bad:
        load(tmp_path / "none.png")
    assert bad.value.reason == "missing_file"
