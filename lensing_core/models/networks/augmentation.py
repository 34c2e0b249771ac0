"""Random changes of training images that leave flux ratios and Einstein radii alone.

Orientation, sub-pixel position, seeing, noise and one gain for all bands may change. What alters
color, contrast or scale (hue, saturation, contrast limits, compression, zoom) is not offered: the
colors and the size of an arc are what tells it from a spiral arm.

Everything but orientation and position acts on linear flux, so augmentation comes before the
asinh scaling of the input contract. For rendered pictures use orientation and position alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lensing_core.errors import BadInputError
from lensing_core.models.networks.dihedral import N_VIEWS, dihedral
from lensing_core.models.networks.resampling import (
    broaden,
    crop_center,
    required_size_px,
    resample,
)

_TWO_PI = 6.283185307179586


@dataclass(frozen=True)
class AugmentationSpec:
    """Ranges of augmentations.

    Attributes
    ----------
    size_px : int
        Side of the output.
    dihedral : bool
        Turns by 90° and mirrorings, exact.
    rotate : bool
        Turns by any angle, out of a larger image.
    max_shift_px : float
        Largest shift along each axis, out of a larger image.
    max_extra_psf_fwhm_px : float
        Largest FWHM of the Gaussian that the PSF is convolved with, in pixels of the image.
    max_noise : float
        Largest added noise, in units of the noise of each pixel (from the variance map).
    max_gain : float
        Largest relative change of the common gain; 0.05 is ±5 %.
    degrade_probability : float
        Fraction of the images whose PSF is broadened, and of those to which noise is added.
    """

    size_px: int
    dihedral: bool = True
    rotate: bool = False
    max_shift_px: float = 0.0
    max_extra_psf_fwhm_px: float = 0.0
    max_noise: float = 0.0
    max_gain: float = 0.0
    degrade_probability: float = 0.5

    def __post_init__(self) -> None:
        if self.size_px < 8:
            raise BadInputError(f"Augmented size {self.size_px} px: use at least 8.")
        for name in ("max_shift_px", "max_extra_psf_fwhm_px", "max_noise"):
            if getattr(self, name) < 0:
                raise BadInputError(f"{name} is {getattr(self, name)}: use 0 or more.")
        if not (0 <= self.max_gain < 1 and 0 <= self.degrade_probability <= 1):
            raise BadInputError(
                f"max_gain {self.max_gain} and degrade_probability {self.degrade_probability}:"
                " use values from 0 to 1."
            )

    @property
    def input_size_px(self) -> int:
        """Smallest side of the input; a larger one must be even or odd as this one."""
        return required_size_px(self.size_px, self.max_shift_px, self.rotate)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


class AugmentedBatch(NamedTuple):
    """Augmented images, and what was done to each.

    Attributes
    ----------
    images : Tensor of shape (n, band, size_px, size_px)
    variance : Tensor of the same shape, optional
        Of the augmented pixels.
    extra_psf_fwhm_px : Tensor of shape (n,)
        See :func:`broadened_fwhm_arcsec`.
    added_noise : Tensor of shape (n,)
        In units of the noise of each pixel.
    gain : Tensor of shape (n,)
    orientation : Tensor of int of shape (n,)
        A code of :func:`~lensing_core.models.networks.dihedral`.
    """

    images: Tensor
    variance: Tensor | None
    extra_psf_fwhm_px: Tensor
    added_noise: Tensor
    gain: Tensor
    orientation: Tensor


def broadened_fwhm_arcsec(
    psf_fwhm_arcsec: Tensor, extra_psf_fwhm_px: Tensor, pixel_scale_arcsec: Tensor | float
) -> Tensor:
    """PSF FWHM after broadening: widths of Gaussians add in quadrature."""
    return torch.hypot(psf_fwhm_arcsec, extra_psf_fwhm_px * pixel_scale_arcsec)


def augment(
    images: Tensor,
    spec: AugmentationSpec,
    generator: torch.Generator,
    variance: Tensor | None = None,
) -> AugmentedBatch:
    """Change each image by its own random draw, on the device of the images.

    The PSF is broadened first, noise comes last. Where a variance map is given, the white noise
    that blurring and interpolation took out of the pixels is put back, so that smooth noise does
    not mark an augmented image; the variance returned is that of the result.

    Parameters
    ----------
    images : Tensor of shape (n, band, y, x)
        Linear flux, NaN where there is no data, at least ``spec.input_size_px`` wide.
    spec : AugmentationSpec
    generator : torch.Generator
        The only source of randomness; fastest on the images' device.
    variance : Tensor of the same shape, optional
        Variance of each pixel; needed to add noise.

    Raises
    ------
    BadInputError
        The images are too small, are not square, or noise is wanted without a variance map.
    """
    _check(images, spec, variance)
    draw = _Draw(len(images), generator, images)
    kept = torch.ones(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)
    images = crop_center(images, _needed(images, spec))
    variance = None if variance is None else crop_center(variance, images.shape[-1])

    fwhm_px = draw.sometimes(spec.degrade_probability) * draw.uniform(0, spec.max_extra_psf_fwhm_px)
    if spec.max_extra_psf_fwhm_px > 0:
        images, factor = broaden(images, fwhm_px, spec.max_extra_psf_fwhm_px)
        kept = kept * factor
    if spec.rotate or spec.max_shift_px > 0:
        angle = draw.uniform(0, _TWO_PI if spec.rotate else 0.0)
        shift = torch.stack(
            [draw.uniform(-spec.max_shift_px, spec.max_shift_px) for _ in "xy"], dim=1
        )
        images, factor = resample(images, angle, shift, spec.size_px)
        kept = kept * factor
        if variance is not None:
            variance = resample(variance, angle, shift, spec.size_px)[0].clamp_min(0)
    images = crop_center(images, spec.size_px)
    variance = None if variance is None else crop_center(variance, spec.size_px)

    added = draw.sometimes(spec.degrade_probability) * draw.uniform(0, spec.max_noise)
    if variance is not None:
        level = added.reshape(-1, 1, 1, 1)
        missing_power = (1 - kept).clamp_min(0) + level.square()
        sigma = (variance * missing_power).nan_to_num(nan=0.0).clamp_min(0).sqrt()
        images = images + sigma * draw.normal(images.shape)
        variance = variance * (1 + level.square())

    gain = draw.uniform(1 - spec.max_gain, 1 + spec.max_gain)
    images = images * gain.reshape(-1, 1, 1, 1)
    variance = None if variance is None else variance * gain.reshape(-1, 1, 1, 1).square()
    codes = torch.zeros(len(images), dtype=torch.long, device=images.device)
    if spec.dihedral:
        codes = draw.integers(N_VIEWS)
        images = dihedral(images, codes)
        variance = None if variance is None else dihedral(variance, codes)
    return AugmentedBatch(images, variance, fwhm_px, added, gain, codes)


def _needed(images: Tensor, spec: AugmentationSpec) -> int:
    """Side of the input that is worth blurring: with mirrored borders kept out of the result."""
    margin = 2 * int(spec.max_extra_psf_fwhm_px + 0.5)
    return min(images.shape[-1], spec.input_size_px + 2 * margin)


def _check(images: Tensor, spec: AugmentationSpec, variance: Tensor | None) -> None:
    height, width = images.shape[-2:]
    if height != width or height < spec.input_size_px:
        raise BadInputError(
            f"Images of {height} x {width} px: this augmentation needs squares of at least"
            f" {spec.input_size_px} px to give {spec.size_px} px without making up pixels."
        )
    if variance is not None and variance.shape != images.shape:
        raise BadInputError(
            f"Variance of shape {tuple(variance.shape)} for images of {tuple(images.shape)}."
        )
    if spec.max_noise > 0 and variance is None:
        raise BadInputError("Adding noise needs a variance map: give one, or set max_noise to 0.")


class _Draw:
    """One random number an image, drawn where the generator lives."""

    def __init__(self, n: int, generator: torch.Generator, like: Tensor) -> None:
        self.n, self.generator, self.like = n, generator, like

    def _rand(self) -> Tensor:
        values = torch.rand(self.n, generator=self.generator, device=self.generator.device)
        return values.to(self.like)

    def uniform(self, low: float, high: float) -> Tensor:
        return low + (high - low) * self._rand()

    def sometimes(self, probability: float) -> Tensor:
        return (self._rand() < probability).to(self.like.dtype)

    def integers(self, count: int) -> Tensor:
        values = torch.randint(
            count, (self.n,), generator=self.generator, device=self.generator.device
        )
        return values.to(self.like.device)

    def normal(self, shape: torch.Size) -> Tensor:
        values = torch.randn(shape, generator=self.generator, device=self.generator.device)
        return values.to(self.like)
