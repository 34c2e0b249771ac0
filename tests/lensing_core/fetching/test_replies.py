"""Damaged replies: each is an image of the size that was asked for, or refused in one sentence."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from lensing_core.fetching.replies import Refused, planes_of, what_is
from lensing_core.fetching.services import CUTOUT_SERVICES, make_order

ORDER = make_order(CUTOUT_SERVICES["legacy"], bands=("g", "r"), size_arcsec=12 * 0.262)


def cube() -> bytes:
    pixels = np.random.default_rng(1).normal(size=(2, 12, 12)).astype("f4")
    hdu = fits.PrimaryHDU(pixels)
    hdu.header.update(BANDS="gr", CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=150.0, CRVAL2=2.0)
    hdu.writeto(stream := BytesIO())
    return stream.getvalue()


WHOLE = cube()


def test_a_cube_becomes_files_that_astropy_reads():
    with fits.open(BytesIO(WHOLE)) as hdus:
        wanted = hdus[0].data.copy()
    for k, content in enumerate(planes_of(WHOLE, ORDER, ("g", "r")).values()):
        with fits.open(BytesIO(content)) as hdus:
            hdus.verify("exception")
            np.testing.assert_array_equal(hdus[0].data, wanted[k])
            assert hdus[0].header["CRVAL1"] == 150.0
            assert "BANDS" not in hdus[0].header


@given(
    cut=st.integers(0, len(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8),
)
def test_damage_is_refused_or_of_the_right_size(cut, changes):
    damaged = bytearray(WHOLE)
    for at, value in changes:
        damaged[at % 2880 if at % 2 else at] = value  # half of them in the header
    try:
        planes = planes_of(bytes(damaged[:cut]), ORDER, ("g", "r"))
    except Refused:
        return
    assert set(planes) <= {"g", "r"}
    assert all(len(content) % 2880 == 0 for content in planes.values())


@given(st.binary(max_size=400))
def test_whatever_comes_is_named_in_a_line(content):
    told = what_is(content)
    assert told.isprintable()
    assert 0 < len(told) < 200


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"<html><body><p>No <b>such</b> place</p></body></html>", "a web page: No such place"),
        (b'{"title": "Bad request", "description": "fov"}', "a message: Bad request: fov"),
        (b"no overlap", "text: no overlap"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "data of another kind"),
    ],
)
def test_replies_of_other_kinds_are_named(content, told):
    assert what_is(content) == told
