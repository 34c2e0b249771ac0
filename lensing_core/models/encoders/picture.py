"""Pictures in three channels of cutouts in any number of bands, as encoders take them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.imaging.noise import frame_mask
from lensing_core.models.deep import ImageScaling

SOFTENING = 3.0
"""Intensity, in units of noise, below which the stretch is linear."""
BRIGHT_LEVEL = 0.85
LEAST_BRIGHT = 20.0
_BYTE = 255.0


@dataclass(frozen=True)
class PictureMapping:
    """Mapping of a survey's bands to red, green and blue levels from 0 to 1.

    Flux is divided by the noise of its band; each channel is the mean of its bands. The mean
    intensity I of the channels is stretched by asinh and every channel multiplied by the same
    factor, so that color does not depend on brightness; where a channel would exceed 1, all three
    are divided by the largest (Lupton et al. 2004, PASP 116, 133). A rendered picture keeps its
    values, divided by 255. All parameters are of the survey: none is measured on the cutout itself.

    Attributes
    ----------
    channels : tuple of three tuples of int
        Bands of red, green and blue.
    sigma, sky : tuple of float
        Noise and median sky of each band, at AB zero point 25.
    bright : float
        Intensity in units of noise that is drawn at level :data:`BRIGHT_LEVEL`.
    rendered : bool
    """

    channels: tuple[tuple[int, ...], ...]
    sigma: tuple[float, ...]
    sky: tuple[float, ...]
    bright: float
    rendered: bool

    @classmethod
    def measure(cls, flux: Float32Array, geometry: CutoutGeometry) -> PictureMapping:
        """Measure it on a sample of cutouts (n, band, y, x), already at zero point 25."""
        bands = len(geometry.bands)
        if geometry.pixel_kind == "rendered":
            ones = (1.0,) * bands
            return cls(split_channels(bands, rendered=True), ones, (0.0,) * bands, _BYTE, True)
        outside = flux[..., frame_mask(flux.shape[-1])]
        known = [bool(np.isfinite(outside[:, k]).any()) for k in range(bands)]
        sky = tuple(float(np.nanmedian(outside[:, k])) if known[k] else 0.0 for k in range(bands))
        mapping = cls(
            split_channels(bands), ImageScaling.measure(flux).sigma, sky, LEAST_BRIGHT, False
        )
        intensity = mapping.channels_of(torch.from_numpy(flux)).mean(dim=1).flatten(1).numpy()
        peaks = np.percentile(intensity, 99.5, axis=1)
        return cls(
            mapping.channels,
            mapping.sigma,
            sky,
            max(LEAST_BRIGHT, float(np.percentile(peaks, 75))),
            False,
        )

    def channels_of(self, flux: Tensor) -> Tensor:
        """Channels (n, 3, y, x) in units of noise above the sky; a missing band does not count."""
        sigma, sky = (
            torch.tensor(values, dtype=flux.dtype, device=flux.device)[:, None, None]
            for values in (self.sigma, self.sky)
        )
        scaled = (flux - sky) / sigma
        return torch.stack([_known_mean(scaled[:, list(bands)]) for bands in self.channels], dim=1)

    def __call__(self, flux: Tensor) -> Tensor:
        """Levels (n, 3, y, x) from 0 to 1 of flux (n, band, y, x) at zero point 25."""
        channels = self.channels_of(flux)
        # What is missing in some channels is gray, and what is missing in all of them is sky.
        intensity = _known_mean(channels)[:, None].nan_to_num(0.0)
        channels = torch.where(channels.isnan(), intensity, channels)
        if self.rendered:
            return (channels / _BYTE).clamp(0, 1)
        scale = np.arcsinh(self.bright / SOFTENING) / BRIGHT_LEVEL
        level = torch.asinh(intensity / SOFTENING) / scale
        levels = (channels * (level / intensity.clamp_min(1e-6))).clamp_min(0)
        levels = torch.where(intensity > 0, levels, torch.zeros_like(levels))
        return levels / levels.amax(dim=1, keepdim=True).clamp_min(1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> PictureMapping:
        """Read what :meth:`to_json` wrote."""
        return cls(
            tuple(tuple(bands) for bands in stored["channels"]),
            tuple(stored["sigma"]),
            tuple(stored["sky"]),
            float(stored["bright"]),
            bool(stored["rendered"]),
        )


def _known_mean(planes: Tensor) -> Tensor:
    """Mean over axis 1 of what is not NaN, NaN where nothing is: torch's nanmean, which cannot be
    exported.
    """
    missing = planes.isnan()
    total = torch.where(missing, torch.zeros_like(planes), planes).sum(dim=1)
    return total / (~missing).sum(dim=1)


def split_channels(bands: int, *, rendered: bool = False) -> tuple[tuple[int, ...], ...]:
    """Bands of red, green and blue, for bands that run from blue to red.

    More than three bands are divided evenly; with two, green is their mean; one band is gray.
    Pictures have their channels in the order red, green, blue.
    """
    parts = [tuple(int(k) for k in part) for part in np.array_split(np.arange(bands), 3)]
    everything = tuple(range(bands))
    if bands == 1:
        return (everything,) * 3
    if bands == 2:
        first, last = (0,), (1,)
        return (first, everything, last) if rendered else (last, everything, first)
    return tuple(parts) if rendered else tuple(parts[::-1])
