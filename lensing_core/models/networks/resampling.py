"""Turning, shifting and blurring images on the device, with what this does to their noise.

Interpolation and blurring are the same linear operation in every band, so they keep colors; both
correlate and thin out white noise, by a factor that is returned.
"""

from __future__ import annotations

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from lensing_core.errors import BadInputError

#: Standard deviations in the full width at half maximum of a Gaussian.
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))

# Pixels on each side of a sampled position that cubic interpolation reads.
_SUPPORT_PX = 2


def required_size_px(size_px: int, max_shift_px: float, rotate: bool) -> int:
    """Side of the smallest input from which no pixel of the output has to be made up.

    Parity is that of ``size_px``, so that both have the same center.
    """
    if not rotate and max_shift_px == 0:
        return size_px
    reach = (size_px - 1) / 2 + max_shift_px
    if rotate:
        reach *= math.sqrt(2)
    needed = math.ceil(2 * (reach + _SUPPORT_PX)) + 1
    return needed + (needed - size_px) % 2


def resample(
    images: Tensor, angle_rad: Tensor, shift_px: Tensor, size_px: int
) -> tuple[Tensor, Tensor]:
    """Cut turned and shifted squares out of larger images, by cubic convolution.

    Parameters
    ----------
    images : Tensor of shape (n, band, y, x)
        NaN where there is no data; output pixels that would read one are NaN. Beyond the border
        stands the nearest pixel.
    angle_rad : Tensor of shape (n,)
    shift_px : Tensor of shape (n, 2)
        x and y of the output's center from the input's center, before turning.
    size_px : int
        Side of the output.

    Returns
    -------
    resampled : Tensor of shape (n, band, size_px, size_px)
    noise_factor : Tensor of shape (n, 1, size_px, size_px)
        Variance of a pixel over the input's, for white noise: the sum of squared weights.
    """
    height, width = images.shape[-2:]
    axis = torch.arange(size_px, device=images.device, dtype=images.dtype) - (size_px - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    # Shifting before turning keeps the shift within the same bounds along the input's axes.
    x, y = x + shift_px[:, 0, None, None], y + shift_px[:, 1, None, None]
    cos, sin = angle_rad.cos()[:, None, None], angle_rad.sin()[:, None, None]
    source_x, source_y = cos * x - sin * y, sin * x + cos * y
    row, weights_y = _cubic_weights(source_y + (height - 1) / 2)
    column, weights_x = _cubic_weights(source_x + (width - 1) / 2)
    flat = images.flatten(2)
    total = images.new_zeros(*images.shape[:2], size_px * size_px)
    for j, weight_y in enumerate(weights_y):
        start = (row + j).clamp(0, height - 1) * width
        for i, weight_x in enumerate(weights_x):
            pixel = (start + (column + i).clamp(0, width - 1)).flatten(1)[:, None]
            weight = (weight_y * weight_x).flatten(1)[:, None]
            total += weight * flat.gather(2, pixel.expand(-1, images.shape[1], -1))
    factor = torch.stack(weights_y).square().sum(0) * torch.stack(weights_x).square().sum(0)
    return total.unflatten(2, (size_px, size_px)), factor[:, None]


def _cubic_weights(position: Tensor) -> tuple[Tensor, list[Tensor]]:
    """First of the four pixels that a position (px) reads along an axis, and their weights.

    Keys (1981, IEEE Trans. ASSP 29, 1153) with a = -1/2, which errs by the third power of the
    pixel; the weights sum to 1.
    """
    below = position.floor()
    t = position - below
    weights = [
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    ]
    return below.long() - 1, weights


def crop_center(images: Tensor, size_px: int) -> Tensor:
    """The central square of the last two axes.

    Raises
    ------
    BadInputError
        The images are smaller, or their center is not that of a pixel grid of this size.
    """
    for side in images.shape[-2:]:
        if side < size_px or (side - size_px) % 2:
            raise BadInputError(
                f"Images of {images.shape[-2]} x {images.shape[-1]} px have no centered square of"
                f" {size_px} px: give at least that, and both even or both odd."
            )
    y0, x0 = ((side - size_px) // 2 for side in images.shape[-2:])
    return images[..., y0 : y0 + size_px, x0 : x0 + size_px]


def broaden(images: Tensor, fwhm_px: Tensor, max_fwhm_px: float) -> tuple[Tensor, Tensor]:
    """Convolve each image, in all bands alike, with a circular Gaussian of its own width.

    In Fourier space, exp(-2 π² σ² f²) with f in cycles per pixel along each axis; borders are
    mirrored, so that nothing comes in from the opposite side. Flux of sources inside is
    conserved. Beside pixels without data the kernel is renormalized to those with data.

    Parameters
    ----------
    images : Tensor of shape (n, band, y, x)
    fwhm_px : Tensor of shape (n,)
        Width of the kernel, in pixels of these images; 0 changes nothing.
    max_fwhm_px : float
        None of them is larger; sets the width of the mirrored border.

    Returns
    -------
    blurred : Tensor of shape (n, band, y, x)
    noise_factor : Tensor of shape (n, 1, 1, 1)
        As for :func:`resample`.
    """
    height, width = images.shape[-2:]
    sigma = fwhm_px / FWHM_PER_SIGMA
    border = math.ceil(4 * max_fwhm_px / FWHM_PER_SIGMA) + 1
    left, right = _mirrored_border(width, border)
    top, bottom = _mirrored_border(height, border)
    transfer_y, transfer_x = (
        torch.exp(
            -2 * math.pi**2 * sigma[:, None] ** 2 * torch.fft.fftfreq(n, device=images.device) ** 2
        )
        for n in (top + height + bottom, left + width + right)
    )
    half = transfer_x[:, None, : transfer_x.shape[1] // 2 + 1]
    transfer = (transfer_y[:, :, None] * half)[:, None]

    def convolve(planes: Tensor) -> Tensor:
        padded = functional.pad(planes.float(), (left, right, top, bottom), mode="reflect")
        blurred = torch.fft.irfft2(torch.fft.rfft2(padded) * transfer, s=padded.shape[-2:])
        return blurred[..., top : top + height, left : left + width]

    missing = images.isnan()
    blurred = convolve(images.masked_fill(missing, 0.0))
    if missing.any():
        blurred = blurred / convolve(~missing).clamp_min(1e-3)
        blurred = blurred.masked_fill(missing, math.nan)
    unchanged = (fwhm_px == 0).reshape(-1, 1, 1, 1)
    factor = (transfer_y.square().mean(1) * transfer_x.square().mean(1)).reshape(-1, 1, 1, 1)
    return (
        torch.where(unchanged, images, blurred.to(images.dtype)),
        factor.masked_fill(unchanged, 1.0),
    )


def _mirrored_border(size_px: int, border_px: int) -> tuple[int, int]:
    """Pixels before and after, so that the whole is quick to transform; less than the image."""
    before = min(border_px, size_px - 1)
    whole = next_fast_len(size_px + 2 * before, real=True)
    return before, min(whole - size_px - before, size_px - 1)
