from __future__ import annotations

import fitsio
import numpy as np
import pytest
from astropy.io import fits

from lensing_core.ingest import simple_fits
from lensing_core.ingest.fits_files import _FitsioImages, open_fits
from lensing_core.ingest.simple_fits import NotSimpleFits, read_simple_fits

RNG = np.random.default_rng(7)


def image(shape=(9, 12), kind="f4", **cards) -> fits.ImageHDU:
    hdu = fits.ImageHDU((100 * RNG.normal(size=shape)).astype(kind))
    hdu.header.update(cards)
    return hdu


def written(tmp_path, *hdus):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(9, 12), (3, 5, 4), (1, 2, 6, 5)])
def test_agrees_with_astropy_and_fitsio(tmp_path, kind, shape):
    comments = [f"line {k} of many" for k in range(80)]
    many = image(shape, kind, EXTNAME="HSC_G ", MAGZERO=27.5)
    for comment in comments:
        many.header.add_comment(comment)
    path = written(tmp_path, many, image((4, 4), "f4", EXTNAME="O'Neil"), image((8, 8)))
    plain = read_simple_fits(path)
    with fits.open(path) as theirs, fitsio.FITS(path) as others:
        assert len(plain.hdus) == len(theirs) == len(others)
        for k, (hdu, their) in enumerate(zip(plain.hdus, theirs, strict=True)):
            assert hdu.shape == their.shape
            if hdu.shape:
                np.testing.assert_array_equal(plain.read(k), their.data.astype("f4"))
                np.testing.assert_array_equal(plain.read(k), others[k].read().astype("f4"))
        assert plain.hdus[1].name == theirs[1].name == others[1].get_extname()
        assert plain.hdus[3].name == ""
        slow = _FitsioImages(path, others)
        assert plain.cards(1) == slow.cards(1)


def test_an_image_in_the_primary_hdu(tmp_path):
    data = RNG.normal(size=(5, 6)).astype("f4")
    fits.PrimaryHDU(data).writeto(tmp_path / "a.fits")
    plain = read_simple_fits(tmp_path / "a.fits")
    assert len(plain.hdus) == 1
    np.testing.assert_array_equal(plain.read(0), data)


@pytest.mark.parametrize(
    "what", ["scaled", "unsigned", "compressed", "table", "gzip", "cut", "junk"]
)
def test_what_needs_a_library_is_left_to_it(tmp_path, what):
    path = tmp_path / "b.fits"
    if what == "scaled":
        path = written(tmp_path, image(kind="i2", BSCALE=2.0))
    elif what == "unsigned":
        fits.PrimaryHDU(np.arange(30, dtype="u2").reshape(5, 6)).writeto(path)
    elif what == "compressed":
        fits.CompImageHDU(np.ones((8, 8), "f4")).writeto(path)
    elif what == "table":
        fits.BinTableHDU.from_columns([fits.Column("a", "E", array=np.zeros(3))]).writeto(path)
    elif what == "gzip":
        path = tmp_path / "b.fits.gz"
        fits.PrimaryHDU(np.ones((8, 8), "f4")).writeto(path)
    elif what == "cut":
        path = written(tmp_path, image())
        path.write_bytes(path.read_bytes()[:-2880])
    else:
        path.write_bytes(b"x" * 5760)
    with pytest.raises(NotSimpleFits):
        read_simple_fits(path)


def test_unsigned_integers_come_out_right_all_the_same(tmp_path):
    data = np.arange(100, dtype="u2").reshape(10, 10) + 60000
    fits.PrimaryHDU(data.astype("u2")).writeto(tmp_path / "a.fits")
    with open_fits(tmp_path / "a.fits") as images:
        np.testing.assert_array_equal(images.read(0), data.astype("f4"))


def test_large_files_are_left_to_fitsio(tmp_path, monkeypatch):
    data = RNG.normal(size=(64, 64)).astype("f4")
    fits.PrimaryHDU(data).writeto(tmp_path / "a.fits")
    monkeypatch.setattr(simple_fits, "MAX_BYTES", 10_000)
    with pytest.raises(NotSimpleFits):
        read_simple_fits(tmp_path / "a.fits")
    with open_fits(tmp_path / "a.fits") as images:
        assert isinstance(images, _FitsioImages)
        np.testing.assert_array_equal(images.read(0), data)
        np.testing.assert_array_equal(images.section(0, slice(3, 9), slice(1, 5)), data[3:9, 1:5])


# Damage of seeds 31, 46, 92, 97, 103, 108, 162 and 164 of the attack suite, by place and byte:
# astropy refuses these files for the card EXTEND, which has no meaning for what is in them.
_EXTEND = {
    31: [(270, b"1")], 46: [(308, b"9")], 92: [(303, b".")], 97: [(287, b"\xac")],
    103: [(302, b"8")], 108: [(263, b"9"), (328, b"0")], 162: [(286, b"9")], 164: [(292, b"1")],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
@pytest.mark.parametrize("seed", _EXTEND)
def test_a_damaged_extend_is_read_as_cfitsio_reads_it(tmp_path, seed):
    path = written(tmp_path, image())
    with fits.open(path) as hdus:
        pixels = hdus[1].data.copy()
    content = bytearray(path.read_bytes())
    for at, byte in _EXTEND[seed]:
        content[at : at + 1] = byte
    path.write_bytes(content)
    with pytest.raises(OSError, match="corrupt"):
        fits.open(path)
    with fitsio.FITS(str(path)) as theirs, open_fits(path) as mine:
        assert [hdu.index for hdu in mine.hdus] == [1]
        np.testing.assert_array_equal(theirs[1].read(), pixels)
    if seed != 108:
        np.testing.assert_array_equal(read_simple_fits(path).read(1), pixels)


def test_a_header_without_end_is_not_taken_for_the_next_one(tmp_path):
    path = written(tmp_path, image())
    content = path.read_bytes()
    path.write_bytes(content.replace(b"END" + b" " * 77, b"END" + b" " * 5 + b"0" + b" " * 71, 1))
    with pytest.raises(NotSimpleFits):
        read_simple_fits(path)


@pytest.mark.parametrize(
    ("own", "damaged"),
    [
        (b"SIMPLE  = ", b"SIMPLE  =t"),
        (b"SIMPLE  = ", b"SIMPLE  \xc2 "),
        (b"END" + b" " * 87, b"END" + b" " * 86 + b"Y"),
    ],
)
def test_a_header_that_no_reader_takes_is_left_to_them(tmp_path, own, damaged):
    path = written(tmp_path, image())
    path.write_bytes(path.read_bytes().replace(own, damaged, 1))
    with pytest.raises(NotSimpleFits):
        read_simple_fits(path)
