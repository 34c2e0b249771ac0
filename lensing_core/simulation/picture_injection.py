"""Arcs painted into 8-bit color pictures: back to light, add the arcs, stretch again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.imaging.unstretch import PictureStretch
from lensing_core.simulation.injection import Injector, Painted
from lensing_core.simulation.visibility import stated_noise

_LEAST_NOISE_LEVELS = 0.3
"""Noise of a channel at least, in levels near black: rounding alone makes that."""
_ONE_SIGMA = 84.13


@dataclass(frozen=True)
class PicturePainter:
    """Paints into pictures (channel, y, x) of whole levels, 0 to 255.

    The unit of a picture's light is not known. It is found for each channel from the noise at the
    edge, which is taken to be that of the survey's stated depth; so the arcs have the survey's
    brightness, colors and PSF relative to its noise.

    Attributes
    ----------
    injector : Injector
        Of the survey's three bands for red, green and blue, with the survey's zero points.
    stretch : PictureStretch
    """

    injector: Injector
    stretch: PictureStretch

    def paint_many(
        self,
        numbers: Sequence[int],
        flux: Float32Array,
        *,
        psfs: Float32Array | None = None,
        redshifts: Sequence[float | None] | None = None,
    ) -> list[Painted | None]:
        """Paint like :meth:`~lensing_core.simulation.injection.Injector.paint_many`: pictures."""
        light = self.stretch.light(flux)
        sky, unit = self._sky_and_unit(light)
        calibrated = ((light - sky) / unit).astype(np.float32)
        # Half of the sky's noise is cut off at black and cannot be measured there; by the unit
        # that was found it is the stated one.
        injector = replace(self.injector, sky_noise=self._stated_noise)
        painted = injector.paint_many(numbers, calibrated, psfs=psfs, redshifts=redshifts)
        return [
            None
            if one is None
            else Painted(self._with(light[k], one, calibrated[k], unit[k]), one.truth)
            for k, one in enumerate(painted)
        ]

    def _with(
        self,
        light: Float64Array,
        painted: Painted,
        before: Float32Array,
        unit: Float64Array,
    ) -> Float32Array:
        added = np.asarray(painted.flux, dtype=np.float64) - before
        return self.stretch.picture(light + added * unit)

    def _sky_and_unit(self, light: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Median light at the edge, and light of one survey unit; (n, channel, 1, 1) both.

        Noise is the distance from the median to the 84th percentile: below the median it is cut
        off at black.
        """
        edge = np.concatenate(
            [light[..., 0, :], light[..., -1, :], light[..., :, 0], light[..., :, -1]], axis=-1
        )
        sky = np.median(edge, axis=-1)
        least = _LEAST_NOISE_LEVELS / 255 / self.stretch.gain
        sigma = np.maximum(np.percentile(edge, _ONE_SIGMA, axis=-1) - sky, least)
        return sky[..., None, None], (sigma / self._stated_noise)[..., None, None]

    @property
    def _stated_noise(self) -> Float64Array:
        return stated_noise(self.injector.bands, self.injector.frame.pixel_scale_arcsec)
