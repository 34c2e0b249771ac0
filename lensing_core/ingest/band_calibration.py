"""Calibration of a band's image: pixel scale, zero point and noise, from settings and header."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.headers import HeaderCalibration
from lensing_core.ingest.images import BandImage
from lensing_core.ingest.limits import PIXEL_SCALE_ARCSEC, ZERO_POINT_MAG
from lensing_core.ingest.rejection import RowRejected
from lensing_core.surveys import Survey


@dataclass(frozen=True)
class BandCalibration:
    """Pixel scale and zero point of each band's images: settings, else header, else survey.

    Attributes
    ----------
    survey : Survey
    bands : tuple of str
    scales_arcsec, zero_points_mag : tuple of float or None
        What the user states, by band.
    """

    survey: Survey
    bands: tuple[str, ...]
    scales_arcsec: tuple[float | None, ...]
    zero_points_mag: tuple[float | None, ...]

    def scale(
        self, k: int, header: HeaderCalibration | None, source: str = "The header"
    ) -> tuple[float, str]:
        """Pixel scale of band ``k`` and where it is from.

        Raises
        ------
        RowRejected
            bad_calibration, if the header's cannot be true.
        """
        stated = self.scales_arcsec[k]
        if stated is not None:
            return stated, "settings"
        if header is not None and header.pixel_scale_arcsec is not None:
            scale, name = header.pixel_scale_arcsec, header.pixel_scale_from
            _check_between(scale, PIXEL_SCALE_ARCSEC, f"{source}: {name} gives", "arcsec a pixel")
            return scale, name
        return self.survey.pixel_scale_arcsec, "survey"

    def zero_point(
        self,
        k: int,
        header: HeaderCalibration | None,
        scale_arcsec: float,
        source: str = "The header",
    ) -> tuple[float, str]:
        """AB zero point of band ``k`` and where it is from.

        Raises
        ------
        RowRejected
            bad_calibration, if the header's cannot be true; unsupported_format, if it says that
            pixels are no fluxes.
        """
        if header is not None and header.not_flux:
            raise RowRejected("unsupported_format", f"{source}: {header.not_flux}.")
        stated = self.zero_points_mag[k]
        if stated is not None:
            return stated, "settings"
        if header is not None:
            if header.zero_point_mag is not None:
                value, name = header.zero_point_mag, header.zero_point_from
                _check_between(value, ZERO_POINT_MAG, f"{source}: {name} gives", "AB magnitudes")
                return value, name
            of_one_second = self.survey.exptime_zero_point_mag
            if of_one_second is not None and header.exposure_s is not None:
                return of_one_second + 2.5 * float(np.log10(header.exposure_s)), "EXPTIME"
        return self.survey.zero_point_mag(self.bands[k], scale_arcsec), "survey"

    def image(
        self,
        k: int,
        data: Float32Array,
        source: str,
        header: HeaderCalibration | None = None,
        **more: object,
    ) -> BandImage:
        """A calibrated :class:`BandImage` of band ``k``; ``more`` are further fields of it."""
        scale, scale_from = self.scale(k, header, source)
        zero_point, zero_point_from = self.zero_point(k, header, scale, source)
        return BandImage(
            data=data,
            pixel_scale_arcsec=scale,
            zero_point_mag=zero_point,
            source=source,
            pixel_scale_from=scale_from,
            zero_point_from=zero_point_from,
            header=header,
            **more,  # type: ignore[arg-type]  # passed on as they are named there
        )


def _check_between(value: float, bounds: tuple[float, float], what: str, unit: str) -> None:
    if not bounds[0] <= value <= bounds[1]:
        raise RowRejected(
            "bad_calibration",
            f"{what} {value:g} {unit}, outside of {bounds[0]:g} to {bounds[1]:g}; correct the "
            "header, or state the value in the settings.",
        )


def to_variance(noise: Float32Array, kind: VarianceKind) -> Float32Array:
    """Variance from a noise map of the given kind; NaN where it says that there is no data."""
    if kind == "rms":
        return np.where(noise >= 0, noise**2, np.float32(np.nan))
    if kind == "inverse_variance":
        with np.errstate(divide="ignore"):
            return np.where(noise > 0, 1 / noise, np.float32(np.nan)).astype(np.float32)
    return np.where(noise >= 0, noise, np.float32(np.nan))
