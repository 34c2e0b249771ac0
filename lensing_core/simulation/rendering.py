"""From scenes to noiseless images, in batches on any torch device.

The sky is sampled on a grid ``oversampling`` times finer than the pixels, binned to pixels
(brightness averaged over each pixel), and convolved with the PSF on the pixel grid. The shape of a
component is rendered once and scaled to its flux in every band.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from caustics.lenses import func as deflection
from caustics.light import func as light
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from lensing_core.errors import BadInputError
from lensing_core.simulation.scene import Component, Scene

MOFFAT_BETA = 3.5
"""Slope of the PSF's wings; atmospheric PSFs have 2.5 to 4.8 (Trujillo et al. 2001)."""


COMPACT_EXTENT_ARCSEC = 2.4
"""Half the window in which a small galaxy is rendered."""

CUSP_ARCSEC = 1e-3
"""Softening of a Sérsic profile at its very centre."""

CORE_ARCSEC = 1e-4
"""Core radius that keeps the isothermal deflection finite at the lens's very centre."""


@dataclass(frozen=True)
class Frame:
    """The pixel grid and the bands of the images.

    ``margin_px`` is rendered around the cutout and cut off, so that light from outside its edge
    is blurred in as it should be.
    """

    size_px: int
    pixel_scale_arcsec: float
    zero_points_mag: tuple[float, ...]
    psf_fwhm_arcsec: tuple[float, ...]
    oversampling: int = 4
    margin_px: int = 12

    def __post_init__(self) -> None:
        if self.oversampling % 2:
            raise BadInputError(
                f"Oversampling {self.oversampling}: use an even number, so that no point falls on "
                "the cusp of a galaxy at the centre of the cutout."
            )

    @property
    def padded_px(self) -> int:
        return self.size_px + 2 * self.margin_px


def moffat_psf(
    fwhm_arcsec: float, pixel_scale_arcsec: float, size_px: int, beta: float = MOFFAT_BETA
) -> Tensor:
    """Moffat PSF, shape (size_px, size_px), averaged over pixels, sum 1, centred on a pixel."""
    fine = 5
    alpha = fwhm_arcsec / (2 * math.sqrt(2 ** (1 / beta) - 1)) / pixel_scale_arcsec
    centre = size_px // 2
    axis = (torch.arange(size_px * fine, dtype=torch.float64) + 0.5) / fine - 0.5 - centre
    r2 = axis[:, None] ** 2 + axis[None, :] ** 2
    profile = (1 + r2 / alpha**2) ** -beta
    psf = profile.reshape(size_px, fine, size_px, fine).mean(dim=(1, 3))
    return (psf / psf.sum()).to(torch.float32)


def convolve(images: Tensor, psfs: Tensor) -> Tensor:
    """Convolve images (n, band, y, x) with one odd-sized PSF a band (band, py, px).

    Periodic: within half a PSF of an edge the result holds light of the opposite edge, and the
    caller cuts that margin off.
    """
    size = [next_fast_len(length, real=True) for length in images.shape[-2:]]
    height, width = psfs.shape[-2:]
    centred = torch.zeros(len(psfs), *size, device=images.device, dtype=images.dtype)
    centred[:, :height, :width] = psfs
    centred = torch.roll(centred, (-(height // 2), -(width // 2)), dims=(-2, -1))
    product = torch.fft.rfft2(images, s=size) * torch.fft.rfft2(centred)
    return torch.fft.irfft2(product, s=size)[..., : images.shape[-2], : images.shape[-1]]


def _column(components: Sequence[Component], name: str, device: torch.device) -> Tensor:
    values = [float(getattr(component, name)) for component in components]
    return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]


def _shapes(components: Sequence[Component], x: Tensor, y: Tensor) -> Tensor:
    """Brightness of total flux 1 (per square arcsec) at points (k, y, x) of each source plane."""
    device = x.device
    column = {
        name: _column(components, name, device)
        for name in ("x", "y", "axis_ratio", "angle", "sersic_index", "half_light_radius")
    }
    n, radius, q = column["sersic_index"], column["half_light_radius"], column["axis_ratio"]
    k = light.k_sersic(n)
    brightness = light.brightness_sersic(
        column["x"], column["y"], q, column["angle"], n, radius, 1.0, x, y, k, CUSP_ARCSEC
    )
    area = 2 * math.pi * n * torch.exp(k + torch.lgamma(2 * n) - 2 * n * torch.log(k))
    brightness = brightness / (area * radius**2 * q)

    special = [i for i, component in enumerate(components) if component.profile != "sersic"]
    for i in special:
        component = components[i]
        cosine, sine = math.cos(component.angle), math.sin(component.angle)
        dx, dy = x[i] - component.x, y[i] - component.y
        u = (dx * cosine + dy * sine) / component.half_light_radius
        v = (dy * cosine - dx * sine) / component.half_light_radius / component.axis_ratio
        r = torch.sqrt(u**2 + v**2).clamp_min(1e-3)
        if component.profile == "ring":
            shape = torch.exp(-0.5 * ((r - 1) / component.ring_width) ** 2)
        else:
            phase = component.arms * (
                torch.atan2(v, u) - component.winding * torch.log(r) - component.arm_phase
            )
            arms = torch.exp(2.5 * (torch.cos(phase) - 1)) * (1 - torch.exp(-((r / 0.35) ** 2)))
            shape = brightness[i] * (1 - component.arm_contrast + 3 * component.arm_contrast * arms)
        step = float(x[i, 0, 1] - x[i, 0, 0]) if not component.lensed else 1.0
        brightness[i] = shape / (shape.sum() * step**2).clamp_min(1e-12)
    return brightness


def render(
    scenes: Sequence[Scene], frame: Frame, *, device: torch.device | str = "cpu"
) -> NDArray[np.float32]:
    """Noiseless images in flux units, shape (n, band, y, x).

    With the default oversampling the brightest pixel of a de Vaucouleurs galaxy is right to about
    one per cent, that of an arc to a few tenths of one.
    """
    device = torch.device(device)
    canvas = _Canvas(scenes, frame, device)
    picked = [(i, part) for i, scene in enumerate(scenes) for part in scene.components]
    small = [(i, part) for i, part in picked if _is_compact(part)]
    wide = [(i, part) for i, part in picked if not _is_compact(part)]
    canvas.add(wide, frame.padded_px)
    window = 2 * math.ceil(COMPACT_EXTENT_ARCSEC / frame.pixel_scale_arcsec) + 1
    canvas.add(small, min(window, frame.padded_px))
    psfs = torch.stack(
        [
            moffat_psf(fwhm, frame.pixel_scale_arcsec, 2 * frame.margin_px + 1)
            for fwhm in frame.psf_fwhm_arcsec
        ]
    ).to(device)
    cut = slice(frame.margin_px, frame.margin_px + frame.size_px)
    return convolve(canvas.images, psfs)[..., cut, cut].clamp_min(0).cpu().numpy()


def _is_compact(component: Component) -> bool:
    """Whether all but a per cent of the light lies within :data:`COMPACT_EXTENT_ARCSEC`."""
    return (
        component.profile == "sersic"
        and not component.lensed
        and component.half_light_radius <= 0.4
        and component.sersic_index <= 2.0
    )


class _Canvas:
    """The images of a batch, to which components are added in chunks that fit the cache."""

    def __init__(self, scenes: Sequence[Scene], frame: Frame, device: torch.device) -> None:
        self.scenes, self.frame, self.device = scenes, frame, device
        side = frame.padded_px
        bands = len(frame.zero_points_mag)
        self.images = torch.zeros(len(scenes), bands, side, side, device=device)
        fine = torch.arange(side * frame.oversampling, dtype=torch.float32, device=device)
        step = frame.pixel_scale_arcsec / frame.oversampling
        self.axis = (fine - (len(fine) - 1) / 2) * step

    def add(self, picked: Sequence[tuple[int, Component]], window_px: int) -> None:
        """Add components, each rendered in a window of its own around its centre."""
        fine = self.frame.oversampling
        chunk = max(1, 2**20 // (window_px * fine) ** 2)
        for start in range(0, len(picked), chunk):
            owners, components = zip(*picked[start : start + chunk], strict=True)
            left, top = (self._corner(components, name, window_px) for name in ("x", "y"))
            x, y = self._grid(left, window_px)[:, None, :], self._grid(top, window_px)[:, :, None]
            x, y = torch.broadcast_tensors(x, y)
            x, y = _source_positions(self.scenes, owners, components, x, y)
            shapes = _shapes(components, x, y) * self.frame.pixel_scale_arcsec**2
            pixels = torch.nn.functional.avg_pool2d(shapes[:, None], fine)
            magnitudes = np.stack([component.magnitudes for component in components])
            flux = 10 ** (-0.4 * (magnitudes - np.array(self.frame.zero_points_mag)))
            scale = torch.tensor(flux, dtype=torch.float32, device=self.device)[:, :, None, None]
            for owner, a, b, light_ in zip(owners, left, top, pixels * scale, strict=True):
                self.images[owner, :, b : b + window_px, a : a + window_px] += light_

    def _corner(self, components: Sequence[Component], name: str, window_px: int) -> list[int]:
        """First pixel of each window, along one axis."""
        side = self.frame.padded_px
        centres = np.array([getattr(component, name) for component in components])
        first = np.round(centres / self.frame.pixel_scale_arcsec + (side - window_px) / 2)
        return [int(k) for k in np.clip(first, 0, side - window_px)]

    def _grid(self, first: list[int], window_px: int) -> Tensor:
        """Coordinates of the fine points of each window, shape (k, window · oversampling)."""
        fine = self.frame.oversampling
        starts = torch.tensor(first, device=self.device)[:, None] * fine
        return self.axis[starts + torch.arange(window_px * fine, device=self.device)]


def _source_positions(
    scenes: Sequence[Scene],
    owners: Sequence[int],
    components: Sequence[Component],
    grid_x: Tensor,
    grid_y: Tensor,
) -> tuple[Tensor, Tensor]:
    """Where each component's light at grid points (k, y, x) is from: β = θ − α(θ) if lensed."""
    x, y = grid_x, grid_y
    behind = [k for k, component in enumerate(components) if component.lensed]
    if behind:
        x, y = grid_x.clone(), grid_y.clone()
        lenses = [scenes[owners[k]].deflector for k in behind]

        def column(name: str) -> Tensor:
            values = [float(getattr(lens, name)) for lens in lenses]
            return torch.tensor(values, device=grid_x.device)[:, None, None]

        x0, y0 = column("x"), column("y")
        sie_x, sie_y = deflection.reduced_deflection_angle_sie(
            x0,
            y0,
            column("axis_ratio"),
            column("angle"),
            column("einstein_radius"),
            grid_x[behind],
            grid_y[behind],
            s=CORE_ARCSEC,
        )
        shear_x, shear_y = deflection.reduced_deflection_angle_external_shear(
            x0, y0, column("shear_1"), column("shear_2"), grid_x[behind], grid_y[behind]
        )
        x[behind] -= sie_x + shear_x
        y[behind] -= sie_y + shear_y
    return x, y
