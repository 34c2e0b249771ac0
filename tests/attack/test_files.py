"""Damaged files of every format: each is refused with a sentence or read as what it holds."""

from __future__ import annotations

import warnings
from pathlib import Path

import fitsio
import numpy as np
import pytest
from astropy.io import fits
from attacking import seeds
from mutants import mutated, peak_mib, rows_of_table, write_images, write_tables

from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.fits_sources import FitsHdus
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.isolation import IsolatedDecoder, reading_helpers
from lensing_core.ingest.limits import Limits
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.pictures import Pictures, is_picture
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer
from lensing_core.ingest.stacks import Stack, is_stack
from lensing_core.supervised import HelperError
from lensing_core.surveys import get_survey

LIMITS = Limits(memory_gb=2.0, file_seconds=10.0)
MOST_MIB = 2500  # the limit and the libraries


def source_of(path: Path):
    locator = Locator(path.parent, "{id}")
    calibration = BandCalibration(get_survey("hsc"), ("g",), (None,), (None,))
    if is_picture(path.name):
        return Pictures(locator, 0.2), Grid(16, 0.2, (np.nan,) * 3)
    grid = Grid(16, 0.168, (27.0,))
    if is_stack(path.name):
        return Stack(locator, calibration, (0,), "first", whole=True), grid
    return FitsHdus(locator, calibration, ("g",), by_order=True), grid


def images_of(path: Path) -> list[np.ndarray]:
    """The images of a file by astropy; by CFITSIO where astropy refuses it or sees none.

    astropy refuses a file for a card in its first header that it cannot parse, such as EXTEND,
    which neither the standard nor CFITSIO gives a meaning.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with fits.open(path) as hdus:
                images = [hdu.data for hdu in hdus if hdu.is_image and hdu.data is not None]
        except OSError:
            images = []
    if images:
        return images
    try:
        with fitsio.FITS(str(path)) as file:
            images = [hdu for hdu in file if hdu.get_exttype() == "IMAGE_HDU" and hdu.has_data()]
            return [hdu.read() for hdu in images]
    except OSError:
        return []


def misread(path: Path, flux: np.ndarray) -> bool:
    """Whether independent readers find other pixels, or none, in an image that was taken."""
    images = images_of(path)
    if not images:
        return True
    theirs = images[0]
    theirs = np.asarray(theirs, "f4")
    theirs = theirs.reshape(theirs.shape[-2:])
    if theirs.shape != flux.shape:
        return False  # cropped, padded or regridded
    both = np.isfinite(theirs) & np.isfinite(flux) & (flux != 0) & (theirs != 0)
    ratio = flux[both] / theirs[both]
    return bool(len(ratio)) and not np.allclose(ratio, np.median(ratio), rtol=1e-3)


@pytest.mark.attack("damaged images")
def test_no_image_stops_an_import(attack, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    with reading_helpers(1, LIMITS) as helpers:
        for path in write_images(good):
            for seed in seeds(15):
                mutant = bad / f"{seed}-{path.name}"
                mutant.write_bytes(mutated(path.read_bytes(), np.random.default_rng(seed)))
                source, grid = source_of(mutant)
                pixels = PixelBuffer.of(grid, len(source.bands), 1).open()
                decoder = IsolatedDecoder(helpers, source, grid, LIMITS)
                with attack.case(mutant.name):
                    row = RowRequest(0, mutant.name, 150.0, 2.0)
                    decoded = decoder.into_memory({0: row}, pixels, {0: 0})
                    for problem in decoded.rejected.values():
                        raise problem
                    if path.name == "plain.fits" and misread(mutant, pixels.flux[0, 0]):
                        attack.accepted.append(f"{mutant.name}: not the pixels of other readers")
        attack.saw_memory(helpers.call(peak_mib))
    assert attack.peak_mib < MOST_MIB


@pytest.mark.attack("damaged tables")
def test_no_table_stops_a_preview(attack, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    with reading_helpers(1, LIMITS) as helpers:
        for path in write_tables(good):
            for seed in seeds(15):
                mutant = bad / f"{seed}-{path.name}"
                mutant.write_bytes(mutated(path.read_bytes(), np.random.default_rng(seed)))
                with attack.case(mutant.name):
                    try:
                        helpers.call(rows_of_table, str(mutant), seconds=lambda _: 10.0)
                    except HelperError as error:
                        raise RuntimeError(str(error)) from error
        attack.saw_memory(helpers.call(peak_mib))
    assert attack.peak_mib < MOST_MIB
