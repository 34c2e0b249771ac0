"""Single images of FITS files, and the noise maps and PSFs that belong to an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lensing_core.arrays import Float32Array
from lensing_core.ingest.band_calibration import to_variance
from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.fits_files import (
    FitsImages,
    calibration,
    names_of,
    open_fits,
    plane_shape,
    sky,
)
from lensing_core.ingest.hdu_names import noise_hdu, psf_hdu
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected


@dataclass(frozen=True)
class Companions:
    """Noise maps and PSFs in files of their own, a file a band."""

    variance: Locator | None = None
    variance_kind: VarianceKind = "variance"
    psf: Locator | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether there are no such files."""
        return self.variance is None and self.psf is None

    def read_variance(
        self, row: RowRequest, band: str, key: str, image: Path
    ) -> Float32Array | None:
        """The variance map of a band of the file ``image``; None where there is no file."""
        if self.variance is None:
            return None
        path = self.variance.find(row, band, key)
        if not path.is_file():
            return None
        with open_fits(path) as images:
            index, kind = choose_noise(images, self.variance_kind, image)
            return to_variance(read_plane(images, index), kind)

    def read_psf(
        self, row: RowRequest, band: str, key: str
    ) -> tuple[Float32Array | None, float | None]:
        """The PSF of a band and its pixel scale, if its header says so."""
        if self.psf is None:
            return None, None
        path = self.psf.find(row, band, key)
        if not path.is_file():
            return None, None
        with open_fits(path) as images:
            names = names_of(images)
            index = psf_hdu(names)
            if index is None:
                index = _alone(images, "PSF")
            return read_plane(images, index), calibration(images, index).pixel_scale_arcsec


def choose_noise(images: FitsImages, kind: VarianceKind, image: Path) -> tuple[int, VarianceKind]:
    """The noise map of a file: the HDU that is called so, else its only image.

    Parameters
    ----------
    kind : str
        Of a noise map that does not say it.
    image : Path
        The file of the image, which is never its own noise map.

    Raises
    ------
    RowRejected
        missing_band, if several images are there and none is called a noise map.
    """
    found = noise_hdu(names_of(images))
    if found is None and images.path == image:
        raise RowRejected(
            "missing_band",
            f"{image} was named for the noise map too, and none of its images is called one (such "
            "as VARIANCE, RMS or WEIGHT).",
            str(image),
        )
    if found is None:
        return _alone(images, "noise map"), kind
    return found if len(images.hdus) > 1 else (found[0], kind)


def _alone(images: FitsImages, what: str) -> int:
    if len(images.hdus) > 1:
        listing = ", ".join(f"{hdu.index}: {hdu.name or 'no name'}" for hdu in images.hdus)
        raise RowRejected(
            "missing_band",
            f"{images.path} has several images and none is called a {what} ({listing}).",
            str(images.path),
        )
    return images.hdus[0].index


def read_plane(images: FitsImages, index: int) -> Float32Array:
    """The two-dimensional image of an HDU; axes of length one are dropped."""
    pixels = images.read(index)
    return pixels.reshape(plane_of(images, index, pixels.shape))


def long_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length one."""
    return tuple(n for n in shape if n > 1)


def plane_of(images: FitsImages, index: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """(y, x) of an image without axes of length one; raises RowRejected where more remain."""
    try:
        return plane_shape(shape)
    except ValueError as problem:
        raise RowRejected(
            "wrong_shape", f"{images.path}, HDU {index}: {problem}.", str(images.path)
        ) from problem


def placed(
    images: FitsImages, index: int, row: RowRequest, shape: tuple[int, ...]
) -> dict[str, Any]:
    """Place of the row's object in an image of shape (y, x), as fields of :class:`BandImage`.

    Without a position in the table the object is what lies in the middle.
    """
    on_sky = sky(images, index)
    if on_sky is None:
        return {}
    height, width = shape
    shown = on_sky.shown(row.position_deg, (height, width))
    return {
        "center": shown.center,
        "matrix_arcsec": shown.matrix_arcsec,
        "sky_deg": shown.sky_deg if row.position_deg is None else None,
    }
