"""Rendering of scenes as noiseless images, in batches on any torch device.

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
from caustics.light import func as light
from scipy.fft import next_fast_len
from torch import Tensor

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError
from lensing_core.simulation.deflection import deflection_field, deflection_fields
from lensing_core.simulation.scene import Component, Scene, Seeing

WINDOWS_ARCSEC = (2.4, 6.0, 15.0)
"""Half the sides of the windows in which what is small enough is rendered."""

CUSP_ARCSEC = 1e-3
"""Softening of a Sérsic profile at its very center."""

POINTS_AT_ONCE = {"cpu": 2**20, "cuda": 2**25}
"""Fine points that are computed together: on a CPU what fits the cache, on a GPU what fills it."""


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
                "the cusp of a galaxy at the center of the cutout."
            )

    @property
    def padded_px(self) -> int:
        return self.size_px + 2 * self.margin_px


def moffat_psf(
    fwhm_arcsec: Tensor, pixel_scale_arcsec: float, size_px: int, beta: Tensor
) -> Tensor:
    """Moffat PSFs, averaged over pixels, sum 1, centered on a pixel.

    Parameters
    ----------
    fwhm_arcsec, beta : shape (n,)

    Returns
    -------
    Tensor of shape (n, size_px, size_px)
    """
    fine = 5
    alpha = fwhm_arcsec / (2 * torch.sqrt(2 ** (1 / beta) - 1)) / pixel_scale_arcsec
    alpha, beta = (value[:, None, None].to(torch.float32) for value in (alpha, beta))
    center = size_px // 2
    axis = (torch.arange(size_px * fine, device=alpha.device) + 0.5) / fine - 0.5 - center
    r2 = axis[:, None] ** 2 + axis[None, :] ** 2
    profile = torch.exp(-beta * torch.log1p(r2 / alpha**2))
    psf = torch.nn.functional.avg_pool2d(profile[:, None], fine)[:, 0]
    return psf / psf.sum(dim=(1, 2), keepdim=True)


def convolve(images: Tensor, psfs: Tensor) -> Tensor:
    """Convolve images (n, band, y, x) with odd-sized PSFs (n or 1, band, py, px).

    Periodic: within half a PSF of an edge the result holds light of the opposite edge, and the
    caller cuts that margin off.
    """
    size = [next_fast_len(length, real=True) for length in images.shape[-2:]]
    height, width = psfs.shape[-2:]
    centered = torch.zeros(*psfs.shape[:2], *size, device=images.device, dtype=images.dtype)
    centered[..., :height, :width] = psfs
    centered = torch.roll(centered, (-(height // 2), -(width // 2)), dims=(-2, -1))
    product = torch.fft.rfft2(images, s=size) * torch.fft.rfft2(centered)
    return torch.fft.irfft2(product, s=size)[..., : images.shape[-2], : images.shape[-1]]


def _column(components: Sequence[Component], name: str, device: torch.device) -> Tensor:
    values = [float(getattr(component, name)) for component in components]
    return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]


def _shapes(components: Sequence[Component], x: Tensor, y: Tensor, step_arcsec: float) -> Tensor:
    """Brightness of total flux 1 (per square arcsec) at points (k, y, x) of each source plane.

    ``step_arcsec`` lies between the points on the sky.
    """
    device = x.device
    column = {
        name: _column(components, name, device)
        for name in ("x", "y", "axis_ratio", "angle", "sersic_index", "half_light_radius")
    }
    if all(component.image is not None for component in components):
        return torch.stack([_of_pixels(part, x[i], y[i]) for i, part in enumerate(components)])
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
        if component.image is not None:
            brightness[i] = _of_pixels(component, x[i], y[i])
            continue
        cosine, sine = math.cos(component.angle), math.sin(component.angle)
        dx, dy = x[i] - component.x, y[i] - component.y
        u = (dx * cosine + dy * sine) / component.half_light_radius
        v = (dy * cosine - dx * sine) / component.half_light_radius / component.axis_ratio
        r = torch.sqrt(u**2 + v**2).clamp_min(1e-3)
        step = step_arcsec if not component.lensed else 1.0
        if component.profile == "point":
            inside = (1 - dx.abs() / step).clamp_min(0) * (1 - dy.abs() / step).clamp_min(0)
            brightness[i] = inside / step**2
            continue
        if component.profile == "ring":
            shape = torch.exp(-0.5 * ((r - 1) / component.ring_width) ** 2)
        else:
            phase = component.arms * (
                torch.atan2(v, u) - component.winding * torch.log(r) - component.arm_phase
            )
            arms = torch.exp(2.5 * (torch.cos(phase) - 1)) * (1 - torch.exp(-((r / 0.35) ** 2)))
            shape = brightness[i] * (1 - component.arm_contrast + 6 * component.arm_contrast * arms)
        brightness[i] = shape / (shape.sum() * step**2).clamp_min(1e-12)
    return brightness


def _of_pixels(component: Component, x: Tensor, y: Tensor) -> Tensor:
    """Brightness (per square arcsec) of an image of sum 1, bilinear between pixels; 0 outside."""
    pixels = torch.as_tensor(component.image, dtype=torch.float32, device=x.device)
    cosine, sine = math.cos(component.angle), math.sin(component.angle)
    dx, dy = x - component.x, y - component.y
    height, width = pixels.shape
    points = torch.stack(
        [
            (dx * cosine + dy * sine) * (2 / (width * component.image_scale_arcsec)),
            (dy * cosine - dx * sine) * (2 / (height * component.image_scale_arcsec)),
        ],
        dim=-1,
    )
    sampled = torch.nn.functional.grid_sample(
        pixels[None, None], points[None], mode="bilinear", align_corners=False
    )
    return sampled[0, 0] / component.image_scale_arcsec**2


def render(
    scenes: Sequence[Scene],
    frame: Frame,
    *,
    device: torch.device | str = "cpu",
    psf_images: Float32Array | None = None,
) -> Float32Array:
    """Noiseless images in flux units, shape (n, band, y, x).

    ``psf_images`` (n or 1, band, py, px), odd-sized and of sum 1, take the place of the PSFs that
    the scenes' seeing gives.

    With the default oversampling the brightest pixel of a de Vaucouleurs galaxy is right to about
    one per cent, that of an arc to a few tenths of one.
    """
    device = torch.device(device)
    if not scenes:
        return np.empty((0, len(frame.zero_points_mag), *[frame.size_px] * 2), dtype=np.float32)
    canvas = _Canvas(scenes, frame, device)
    canvas.add_lensed()
    canvas.add_unlensed()
    cut = slice(frame.margin_px, frame.margin_px + frame.size_px)
    kernels = (
        psfs(scenes, frame, device)
        if psf_images is None
        else torch.from_numpy(psf_images).to(device)
    )
    blurred = convolve(canvas.images, kernels)
    return blurred[..., cut, cut].clamp_min(0).cpu().numpy()


def psfs(scenes: Sequence[Scene], frame: Frame, device: torch.device | str = "cpu") -> Tensor:
    """The PSFs of the scenes' images, shape (n, band, py, px)."""
    typical = Seeing((1.0,) * len(frame.psf_fwhm_arcsec))
    seeings = [scene.seeing or typical for scene in scenes]
    width = torch.tensor([seeing.width for seeing in seeings]) * torch.tensor(frame.psf_fwhm_arcsec)
    beta = torch.tensor([seeing.beta for seeing in seeings])[:, None].expand_as(width)
    size = 2 * frame.margin_px + 1
    flat = moffat_psf(
        width.flatten().to(device), frame.pixel_scale_arcsec, size, beta.flatten().to(device)
    )
    return flat.reshape(*width.shape, size, size)


def _half_window_arcsec(component: Component) -> float:
    """Half the side of a square that holds all but a per cent or so of the light."""
    if component.profile == "point":
        return WINDOWS_ARCSEC[0]
    if component.profile != "sersic":
        return math.inf
    return component.half_light_radius * (6 if component.sersic_index <= 2 else 15)


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

    def add_lensed(self) -> None:
        """Add what is seen through deflectors; each scene's deflection is computed once."""
        grid = torch.meshgrid(self.axis, self.axis, indexing="xy")
        chunk = self._chunk(self.frame.padded_px)
        behind = [i for i, scene in enumerate(self.scenes) if scene.lensed]
        for start in range(0, len(behind), chunk):
            scenes = behind[start : start + chunk]
            alpha_x, alpha_y = self._deflections([self.scenes[i] for i in scenes], *grid)
            parts = [(k, part) for k, i in enumerate(scenes) for part in self.scenes[i].lensed]
            for first in range(0, len(parts), chunk):
                owners, components = zip(*parts[first : first + chunk], strict=True)
                ratio = _column(components, "distance_ratio", self.device)
                index = torch.tensor(owners, device=self.device)
                pixels = self._pixels(
                    components, grid[0] - ratio * alpha_x[index], grid[1] - ratio * alpha_y[index]
                )
                # One after the other: sums of a GPU in any order would differ from run to run.
                for owner, light_ in zip(owners, pixels, strict=True):
                    self.images[scenes[owner]] += light_

    def _deflections(
        self, scenes: Sequence[Scene], grid_x: Tensor, grid_y: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Deflections at fine points (scene, y, x); of all but the two main deflectors of a scene
        interpolated from pixels.

        The many members of a cluster bend little, and their pull changes slowly from pixel to
        pixel but at their very centers.
        """
        alpha = deflection_fields([scene.deflectors[:2] for scene in scenes], grid_x, grid_y)
        coarse = torch.nn.functional.avg_pool1d(self.axis[None], self.frame.oversampling)[0]
        for k, scene in enumerate(scenes):
            if scene.deflectors[2:]:
                points = torch.meshgrid(coarse, coarse, indexing="xy")
                pull = torch.stack(deflection_field(scene.deflectors[2:], *points))
                fine = torch.nn.functional.interpolate(
                    pull[None], size=grid_x.shape, mode="bicubic", align_corners=False
                )[0]
                alpha[0][k] += fine[0]
                alpha[1][k] += fine[1]
        return alpha

    def add_unlensed(self) -> None:
        """Add all else, each component in a window of its own around its center."""
        side = self.frame.padded_px
        by_window: dict[int, list[tuple[int, Component]]] = {}
        for i, scene in enumerate(self.scenes):
            for part in scene.components:
                if not part.lensed:
                    extent = _half_window_arcsec(part)
                    half = next((w for w in WINDOWS_ARCSEC if extent <= w), math.inf)
                    window = 2 * math.ceil(min(half / self.frame.pixel_scale_arcsec, side)) + 1
                    by_window.setdefault(min(window, side), []).append((i, part))
        for window_px, picked in sorted(by_window.items()):
            self._add(picked, window_px)

    def _chunk(self, window_px: int) -> int:
        points = POINTS_AT_ONCE[self.device.type]
        return max(1, points // (window_px * self.frame.oversampling) ** 2)

    def _add(self, picked: Sequence[tuple[int, Component]], window_px: int) -> None:
        chunk = self._chunk(window_px)
        for start in range(0, len(picked), chunk):
            owners, components = zip(*picked[start : start + chunk], strict=True)
            left, top = (self._corner(components, name, window_px) for name in ("x", "y"))
            x, y = self._grid(left, window_px)[:, None, :], self._grid(top, window_px)[:, :, None]
            pixels = self._pixels(components, *torch.broadcast_tensors(x, y))
            for owner, a, b, light_ in zip(owners, left, top, pixels, strict=True):
                self.images[owner, :, b : b + window_px, a : a + window_px] += light_

    def _pixels(self, components: Sequence[Component], x: Tensor, y: Tensor) -> Tensor:
        """Flux in pixels (k, band, y, x) from source-plane positions of fine points (k, y, x)."""
        step = self.frame.pixel_scale_arcsec / self.frame.oversampling
        shapes = _shapes(components, x, y, step) * self.frame.pixel_scale_arcsec**2
        pixels = torch.nn.functional.avg_pool2d(shapes[:, None], self.frame.oversampling)
        magnitudes = np.stack([component.magnitudes for component in components])
        flux = 10 ** (-0.4 * (magnitudes - np.array(self.frame.zero_points_mag)))
        scale = torch.tensor(flux, dtype=torch.float32, device=self.device)
        return pixels * scale[:, :, None, None]

    def _corner(self, components: Sequence[Component], name: str, window_px: int) -> list[int]:
        """First pixel of each window, along one axis."""
        side = self.frame.padded_px
        centers = np.array([getattr(component, name) for component in components])
        first = np.round(centers / self.frame.pixel_scale_arcsec + (side - window_px) / 2)
        return [int(k) for k in np.clip(first, 0, side - window_px)]

    def _grid(self, first: list[int], window_px: int) -> Tensor:
        """Coordinates of the fine points of each window, shape (k, window · oversampling)."""
        fine = self.frame.oversampling
        starts = torch.tensor(first, device=self.device)[:, None] * fine
        return self.axis[starts + torch.arange(window_px * fine, device=self.device)]
