from __future__ import annotations

import pytest

from lensing_core.ingest.hdu_names import BandHdus, find_bands, match_by_order
from lensing_core.ingest.rejection import RowRejected

EUCLID = tuple(
    enumerate(
        (
            *("MEGACAM_U_FLUX", "MEGACAM_U_PSF", "MEGACAM_U_RMS", "HSC_Z_FLUX", "HSC_Z_RMS"),
            *("VIS_BGSUB", "VIS_PSF", "VIS_RMS", "NIR_Y_FLUX", "NIR_Y_PSF", "NIR_Y_RMS", "DQ"),
        ),
        start=1,
    )
)


def test_bands_with_their_noise_and_psf():
    vis, y, u, z = find_bands(EUCLID, ("VIS", "Y", "u", "HSC_Z_FLUX"))
    assert vis == BandHdus(flux=6, noise=8, noise_kind="rms", psf=7)
    assert y == BandHdus(flux=9, noise=11, noise_kind="rms", psf=10)
    assert u == BandHdus(flux=1, noise=3, noise_kind="rms", psf=2)
    assert z == BandHdus(flux=4, noise=5, noise_kind="rms", psf=None)


def test_a_missing_band_lists_what_there_is():
    (found,) = find_bands(EUCLID, ("J",))
    assert isinstance(found, RowRejected)
    assert found.reason == "missing_band"
    assert "No HDU holds band 'J'" in str(found)
    assert "9: NIR_Y_FLUX" in str(found)


def test_several_matches_are_refused():
    names = ((1, "HSC_Z_FLUX"), (2, "DES_Z_FLUX"))
    (found,) = find_bands(names, ("z",))
    assert isinstance(found, RowRejected)
    assert "Several HDUs match band 'z' (HSC_Z_FLUX, DES_Z_FLUX)" in str(found)


def test_case_decides_before_it_is_ignored():
    names = ((1, "y"), (2, "Y"))
    assert [b.flux for b in find_bands(names, ("Y", "y"))] == [2, 1]


def test_numbers_and_single_images():
    assert find_bands(((0, ""), (1, "ERR"), (3, "PSF")), ("0",))[0] == BandHdus(0, 1, "rms", 3)
    sci = ((1, "SCI"), (2, "WHT"), (3, "DQ"))
    assert match_by_order(sci, 1) == (BandHdus(1, 2, "inverse_variance", None),)


@pytest.mark.parametrize("n_bands", [1, 3])
def test_by_order_needs_as_many(n_bands):
    with pytest.raises(RowRejected, match=f"2 image HDUs were found for {n_bands} bands") as bad:
        match_by_order(((1, "A"), (2, "B")), n_bands)
    assert bad.value.reason == "wrong_band_count"
