"""Brightness of arcs and agreement of their colors, measured on a cutout.

The mask is that of segments of light around the galaxy (:mod:`lensing_core.features.segments`),
the flux what the galaxy's model leaves in it. So magnitudes are isophotal: fainter than total ones
by what lies below the threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.arcs import most_arc_like
from lensing_core.features.colors import ColorFeatures
from lensing_core.features.segments import CutoutBatch

POGSON = 2.5 / math.log(10)
FAINTEST_SNR = 3.0
"""Below this a magnitude is an upper limit: that of so many standard errors."""
DIFFERENT_BELOW = 0.01
"""Probability of one color below which segments differ by more than their errors."""


@dataclass(frozen=True)
class BandBrightness:
    """Brightness of an arc in a band, AB.

    Attributes
    ----------
    band : str
    magnitude : float or None
        None: the catalog has no zero point.
    error : float or None
        From the variance of the pixels; None where the magnitude is a limit.
    surface_brightness : float or None
        Mean over the mask, mag arcsec⁻²; None for a limit.
    snr : float
        Flux over its error.
    """

    band: str
    magnitude: float | None
    error: float | None
    surface_brightness: float | None
    snr: float

    @property
    def is_limit(self) -> bool:
        """Return whether the arc is fainter than the magnitude."""
        return self.magnitude is not None and self.error is None


@dataclass(frozen=True)
class ArcPhotometry:
    """The arc of a cutout, and the colors of all its segments.

    Attributes
    ----------
    bands : tuple of BandBrightness
    area_arcsec2 : float
        Of the mask.
    length_arcsec, width_arcsec, radius_arcsec : float
        Of the arc; radius: from the center of the cutout.
    from_variance : bool
        Errors come from a variance map; else from the scatter of the cutout's frame.
    n_colors : int
        Segments that say something of color.
    one_color : float or None
        Probability of so much scatter if all have one color (χ²); None: fewer than two segments.
    color_scatter_mag : float or None
        Beyond the errors.
    """

    bands: tuple[BandBrightness, ...]
    area_arcsec2: float
    length_arcsec: float
    width_arcsec: float
    radius_arcsec: float
    from_variance: bool
    n_colors: int
    one_color: float | None
    color_scatter_mag: float | None

    @property
    def brightest(self) -> BandBrightness | None:
        """The band with the highest signal to noise; None where nothing is measured."""
        known = [b for b in self.bands if b.magnitude is not None and not b.is_limit]
        return max(known, key=lambda b: b.snr, default=None)

    def color_text(self) -> str:
        """Say whether colors agree within their errors."""
        if self.one_color is None:
            n = f"{self.n_colors} segment" + ("" if self.n_colors == 1 else "s")
            return f"Colors cannot be compared: {n} with a color, two are needed."
        verdict = "agree within" if self.one_color >= DIFFERENT_BELOW else "differ by more than"
        return (
            f"Colors of {self.n_colors} segments {verdict} their errors: P(one color) = "
            f"{self.one_color:.2g}, scatter beyond the errors "
            f"{self.color_scatter_mag or 0:.2f} mag ({', '.join(b.band for b in self.bands)})."
        )


def measure_arc(
    flux: Float32Array, geometry: CutoutGeometry, variance: Float32Array | None = None
) -> ArcPhotometry | None:
    """Measure the most arc-like segment of a cutout; None where there is no segment of light.

    Parameters
    ----------
    flux, variance : ndarray of shape (band, y, x)
        Variance in the square of the flux unit, NaN or not above 0 where unknown.
    """
    if geometry.pixel_kind == "rendered":
        return None
    batch = CutoutBatch(np.asarray(flux[None]), geometry)
    segments = batch.segments
    _, segment = most_arc_like(segments)
    if not len(segment):
        return None
    arc = int(segment[0])
    mask = np.zeros((geometry.size_px, geometry.size_px), dtype=bool)
    mask.flat[segments.pixel[segments.of_pixel == arc]] = True
    area = float(mask.sum()) * geometry.pixel_scale_arcsec**2
    bands, mapped = [], variance is not None
    for k, band in enumerate(geometry.bands):
        noise = float(batch.noise[0, k])
        inside = mask & batch.valid[0, k]
        light = float(batch.residual[0, k][inside].sum(dtype=np.float64)) * noise
        square, from_map = _variance(variance, k, inside, noise)
        mapped = mapped and from_map
        bands.append(_brightness(band, light, math.sqrt(square), geometry.zero_points_mag[k], area))
    colors = ColorFeatures(geometry)
    values = dict(zip(colors.schema.names, colors.of(batch)[0].tolist(), strict=True))
    return ArcPhotometry(
        tuple(bands),
        area,
        float(segments.length[arc]),
        float(segments.width[arc]),
        float(segments.radius[arc]),
        mapped,
        int(np.nan_to_num(values["colour_segments"])),
        _known(values["colour_one_source"]),
        _known(values["colour_scatter"]),
    )


def _variance(
    variance: Float32Array | None, band: int, inside: BoolArray, noise: float
) -> tuple[float, bool]:
    """Return the variance of a sum over pixels, and whether a map gave it."""
    n = int(inside.sum())
    if variance is not None:
        values = variance[band][inside].astype(np.float64)
        good = np.isfinite(values) & (values > 0)
        if good.any():
            # Pixels without a value count as the others do on average.
            return float(values[good].mean()) * n, True
    return noise**2 * n, False


def _brightness(
    band: str, light: float, error: float, zero_point: float, area: float
) -> BandBrightness:
    snr = light / error if error > 0 else 0.0
    if not math.isfinite(zero_point) or error <= 0:
        return BandBrightness(band, None, None, None, snr)
    if snr < FAINTEST_SNR:
        limit = zero_point - 2.5 * math.log10(FAINTEST_SNR * error)
        return BandBrightness(band, limit, None, None, snr)
    magnitude = zero_point - 2.5 * math.log10(light)
    return BandBrightness(band, magnitude, POGSON / snr, magnitude + 2.5 * math.log10(area), snr)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
