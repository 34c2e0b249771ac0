"""Arcs painted into real cutouts: real galaxies, noise, PSF and faults, with a known lens.

Only the light of the source is new: that of a simulated galaxy, or of a real one
(:mod:`~lensing_core.simulation.source_images`). The field's remedy for networks that learn how a
simulator's galaxies and noise differ from the sky's (for example Petrillo et al. 2017, MNRAS 472,
1129; Rojas et al. 2022, A&A 668, A73).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.physics import cosmology
from lensing_core.simulation import galaxies, lenses
from lensing_core.simulation.real_sources import real_source
from lensing_core.simulation.rendering import Frame, render
from lensing_core.simulation.scene import Component, Deflector, Scene
from lensing_core.simulation.source_images import SourceSet
from lensing_core.simulation.visibility import (
    ArcLimits,
    Visibility,
    faintest_source_mag,
    gains,
    noise_map,
    pixel_noise,
    visibility,
)
from lensing_core.surveys import Band

ThetaELaw = Literal["natural", "flat"]
MAX_ATTEMPTS = 80
FIELD_COUNT_SLOPE = 0.35
"""Of field galaxies: most arcs are as faint as the limits let them be, as in a survey."""
_DRAWS = 64
"""Pairs of lens and source drawn at once, of which the first that is possible is taken."""


@dataclass(frozen=True)
class Painted:
    """A cutout with arcs, and what is true of them."""

    flux: Float32Array
    truth: dict[str, Any]


@dataclass(frozen=True)
class LensLaw:
    """Distributions from which lenses are drawn.

    Attributes
    ----------
    theta_e_law : {'natural', 'flat'}
        natural: velocity dispersions of early-type galaxies weighted by their cross section, σ⁴
        (D_ls/D_s)²; flat: as many lenses at every Einstein radius.
    theta_e_range_arcsec : tuple of float
        Beyond it no lens is drawn; nor one that a quarter of the cutout does not hold.
    sources : tuple of SourceSet or None
        What is lensed, each as often as the other: real galaxies, or simulated ones (None).
    limits : ArcLimits
    source_count_slope : float
        Of the magnitudes of sources, N(<m) ∝ 10^(slope m).
    arc_snr_range : tuple of float, optional
        Sources are made brighter or fainter until the arcs have an S/N drawn from here, as many in
        every logarithmic interval; whether images are resolved is not asked then.
    """

    theta_e_law: ThetaELaw = "natural"
    theta_e_range_arcsec: tuple[float, float] = lenses.THETA_E_RANGE_ARCSEC
    sources: tuple[SourceSet | None, ...] = (None,)
    limits: ArcLimits = field(default_factory=ArcLimits)
    source_count_slope: float = FIELD_COUNT_SLOPE
    arc_snr_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Host:
    """Properties of a galaxy that the painter takes."""

    number: int
    noise: Float32Array
    axis_ratio: float
    angle: float
    redshift: float | None


@dataclass(frozen=True)
class Injector:
    """Paints arcs around the central galaxies of a catalog's cutouts.

    Attributes
    ----------
    frame : pixel grid, zero points and typical PSF FWHM of the catalog
    bands : of the survey, in the catalog's order
    seed : of the whole job
    law : from what lenses are drawn
    sky_noise : σ of an empty pixel by band, where it cannot be measured on the cutouts
    """

    frame: Frame
    bands: tuple[Band, ...]
    seed: int
    law: LensLaw = field(default_factory=LensLaw)
    sky_noise: Float64Array | None = None

    def paint(
        self,
        index: int,
        flux: Float32Array,
        *,
        psf: Float32Array | None = None,
        redshift: float | None = None,
    ) -> Painted | None:
        """The cutout with arcs: :meth:`paint_many` of one."""
        psfs = None if psf is None else psf[None]
        return self.paint_many([index], flux[None], psfs=psfs, redshifts=[redshift])[0]

    def paint_many(
        self,
        numbers: Sequence[int],
        flux: Float32Array,
        *,
        psfs: Float32Array | None = None,
        redshifts: Sequence[float | None] | None = None,
    ) -> list[Painted | None]:
        """Cutouts with the arcs of a lens that could be found, None where no draw gave one.

        Parameters
        ----------
        numbers : sequence of int, length n
            Of the objects; the same number draws the same lens, whatever stands beside it.
        flux : ndarray of shape (n, band, y, x)
            NaN where there is no data; stays NaN.
        psfs : ndarray of shape (n, band, py, px), optional
            Of these images, odd-sized; else Moffats around the catalog's typical width.
        redshifts : sequence of float or None, optional
            Of the galaxies; else drawn.
        """
        hosts = {
            k: host
            for k, number in enumerate(numbers)
            if (host := self._host(number, flux[k], redshifts[k] if redshifts else None))
        }
        painted: list[Painted | None] = [None] * len(numbers)
        for attempt in range(MAX_ATTEMPTS):
            drawn = {k: self._scene(host, attempt) for k, host in hosts.items()}
            scenes = {k: scene for k, scene in drawn.items() if scene is not None}
            if scenes:
                kept = None if psfs is None else psfs[list(scenes)]
                seen = self._visible(scenes, hosts, kept, attempt)
                passed = {k: scene for k, (scene, _) in seen.items()}
                kept = None if psfs is None else psfs[list(passed)]
                arcs = render(list(passed.values()), self.frame, psf_images=kept)
                for row, k in enumerate(passed):
                    painted[k] = self._painted(flux[k], arcs[row], *seen[k], hosts[k], attempt)
                    del hosts[k]
            if not hosts:
                break
        return painted

    def _host(self, number: int, flux: Float32Array, redshift: float | None) -> _Host | None:
        """None where the image has no noise to be measured: it holds no data."""
        sigma = pixel_noise(flux) if self.sky_noise is None else self.sky_noise.copy()
        seen = np.isfinite(sigma) & (sigma > 0)
        if not seen.any():
            return None
        gain = gains(self.bands, self.frame.zero_points_mag)
        light = np.nan_to_num(flux - np.nanmedian(_frame_of(flux), axis=1)[:, None, None])
        sigma[~seen] = np.nan
        axis_ratio, angle = shape_of_light(flux[np.flatnonzero(seen)[-1]])
        return _Host(number, noise_map(light, sigma, gain), axis_ratio, angle, redshift)

    def _visible(
        self,
        scenes: dict[int, Scene],
        hosts: dict[int, _Host],
        psfs: Float32Array | None,
        attempt: int,
    ) -> dict[int, tuple[Scene, Visibility]]:
        """Those that pass the limits, judged on arcs sampled twice a pixel: good to a per cent."""
        coarse = replace(self.frame, oversampling=2)
        arcs = render(list(scenes.values()), coarse, psf_images=psfs)
        fwhm_px = float(np.nanmedian(self.frame.psf_fwhm_arcsec)) / self.frame.pixel_scale_arcsec
        passed = {}
        for row, (k, scene) in enumerate(scenes.items()):
            magnification = _magnification(scene, arcs[row], self.frame)
            seen = visibility(arcs[row], hosts[k].noise, fwhm_px, magnification)
            if self.law.arc_snr_range is not None and seen.arc_snr > 0:
                rng = galaxies.generator(self.seed, hosts[k].number, attempt, stream=2)
                wanted = np.exp(rng.uniform(*np.log(self.law.arc_snr_range)))
                scene, seen = _brightened(scene, seen, float(wanted / seen.arc_snr))
            if self.law.limits.met_by(seen):
                passed[k] = scene, seen
        return passed

    def _painted(
        self,
        flux: Float32Array,
        arcs: Float32Array,
        scene: Scene,
        seen: Visibility,
        host: _Host,
        attempt: int,
    ) -> Painted:
        truth = {
            **scene.truth,
            "class": "injected_lens",
            **vars(seen),
            "seed": self.seed,
            "index": host.number,
            "attempt": attempt,
        }
        noisy = arcs + self._photon_noise(arcs, host.number, attempt)
        return Painted((flux + noisy).astype(np.float32), truth)

    def _scene(self, host: _Host, attempt: int) -> Scene | None:
        """A lens with its source, or None where none could be drawn, or it is not resolved."""
        rng = galaxies.generator(self.seed, host.number, attempt)
        pair = self._pair(rng, host.redshift)
        if pair is None:
            return None
        sigma_v, z_lens, z_source, theta_e = pair
        nothing = np.zeros(len(self.bands))
        lens = galaxies.Early(sigma_v, z_lens, 0.0, nothing, 0.0, host.axis_ratio, host.angle, 4.0)
        deflector: Deflector = lenses.galaxy_mass(rng, lens, theta_e, "sie")
        bright, faint = lenses.SOURCE_MAG_RANGE
        faint = max(bright + 1, faintest_source_mag(self.bands, faint))
        magnitude = galaxies.counts_magnitude(rng, bright, faint, self.law.source_count_slope)
        x, y = lenses.source_position(rng, theta_e)
        source, name = self._source(rng, z_source, magnitude, x, y)
        seeing = galaxies.seeing(rng, len(self.bands))
        widest = max(part.half_light_radius for part in source)
        unresolved = theta_e**2 <= widest**2 + (min(self.frame.psf_fwhm_arcsec) / 2) ** 2
        if unresolved and self.law.arc_snr_range is None:
            return None
        truth = lenses.truth_of(deflector, z_source, magnitude, x, y, lens=lens, source=name)
        return Scene("injected_lens", source, (deflector,), truth, seeing=seeing)

    def _source(
        self, rng: galaxies.Generator, z: float, magnitude: float, x: float, y: float
    ) -> tuple[tuple[Component, ...], str]:
        wavelengths = np.array([band.wavelength_nm for band in self.bands])
        chosen = self.law.sources[int(rng.integers(len(self.law.sources)))]
        if chosen is None:
            return galaxies.clumpy_source(rng, wavelengths, z, magnitude, x, y), "simulated"
        return real_source(rng, chosen, wavelengths, z, magnitude, x, y), "real"

    def _pair(
        self, rng: galaxies.Generator, redshift: float | None
    ) -> tuple[float, float, float, float] | None:
        """σ_v (km/s), redshifts of lens and source, and θ_E (arcsec), by the law."""
        low, high = self.law.theta_e_range_arcsec
        high = min(high, self.frame.size_px * self.frame.pixel_scale_arcsec / 4)
        sigma_v, z_lens = galaxies.lens_populations(rng, _DRAWS)
        if redshift is not None:
            z_lens[:] = redshift
        z_source = 0.9 * rng.gamma(2.0, size=_DRAWS) ** (1 / 1.5)
        ratio = cosmology.distance_ratio(z_lens, z_source)
        theta_e = cosmology.sis_einstein_radius_arcsec(sigma_v, z_lens, z_source)
        chance = rng.random(_DRAWS)
        behind = (z_source > z_lens + 0.1) & (z_source < 5) & (ratio > 0)
        if self.law.theta_e_law == "flat":
            theta_e = rng.uniform(low, high, size=_DRAWS)
            unit = cosmology.sis_einstein_radius_arcsec(100.0, z_lens, z_source)
            sigma_v = 100 * np.sqrt(theta_e / np.where(behind, unit, np.inf))
            possible = behind & (sigma_v > 120) & (sigma_v < 450)
        else:
            possible = behind & (theta_e >= low) & (theta_e <= high) & (chance < ratio**2)
        if not possible.any():
            return None
        k = int(np.argmax(possible))
        return float(sigma_v[k]), float(z_lens[k]), float(z_source[k]), float(theta_e[k])

    def _photon_noise(self, arcs: Float32Array, index: int, attempt: int) -> Float32Array:
        """Noise of the added light where the survey's gain is known."""
        gain = gains(self.bands, self.frame.zero_points_mag)
        variance = np.nan_to_num(arcs / gain[:, None, None], nan=0.0).clip(0)
        rng = galaxies.generator(self.seed, index, attempt, stream=1)
        return (rng.standard_normal(arcs.shape) * np.sqrt(variance)).astype(np.float32)


def _frame_of(flux: Float32Array) -> Float32Array:
    """Outermost pixels of each band, (band, n)."""
    return np.concatenate([flux[:, 0], flux[:, -1], flux[:, :, 0], flux[:, :, -1]], axis=1)


def shape_of_light(image: Float32Array) -> tuple[float, float]:
    """Axis ratio and angle (radians from x towards y) of the galaxy at the center.

    From second moments with a Gaussian weight a tenth of the cutout wide; 0.8 and 0 where they
    have no meaning.
    """
    size = image.shape[0]
    axis = np.arange(size) - (size - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    light = np.nan_to_num(image - np.nanmedian(image)).clip(0)
    light = light * np.exp(-0.5 * (x**2 + y**2) / (size / 10) ** 2)
    total = light.sum()
    if total <= 0:
        return 0.8, 0.0
    xx, yy, xy = ((light * moment).sum() / total for moment in (x * x, y * y, x * y))
    e1, e2 = (xx - yy) / (xx + yy), 2 * xy / (xx + yy)
    ellipticity = min(float(np.hypot(e1, e2)), 0.6)
    # The round weight halves the ellipticity of what fills it.
    stretched = min(1.6 * ellipticity, 0.7)
    axis_ratio = float(np.sqrt((1 - stretched) / (1 + stretched)))
    return axis_ratio, float(0.5 * np.arctan2(e2, e1))


def _brightened(scene: Scene, seen: Visibility, factor: float) -> tuple[Scene, Visibility]:
    """A scene whose source has ``factor`` times the light, and how well its arcs are seen."""
    fainter_mag = -2.5 * np.log10(factor)
    parts = tuple(
        replace(part, magnitudes=part.magnitudes + fainter_mag) if part.lensed else part
        for part in scene.components
    )
    truth = {**scene.truth, "source_mag": scene.truth["source_mag"] + float(fainter_mag)}
    brighter = replace(seen, arc_snr=seen.arc_snr * factor, second_snr=seen.second_snr * factor)
    return replace(scene, components=parts, truth=truth), brighter


def _magnification(scene: Scene, arcs: Float32Array, frame: Frame) -> float:
    """Lensed over intrinsic flux in the first band."""
    magnitudes = np.array([part.magnitudes[0] for part in scene.lensed])
    intrinsic = (10 ** (-0.4 * (magnitudes - frame.zero_points_mag[0]))).sum()
    return float(arcs[0].sum() / intrinsic)


def check_can_be_painted(bands: tuple[Band, ...], catalog: str) -> None:
    """Raise BadInputError for a catalog whose bands have no wavelength."""
    unknown = [band.name for band in bands if not np.isfinite(band.wavelength_nm)]
    if unknown:
        raise BadInputError(
            f"Catalog {catalog}: bands {', '.join(unknown)} have no wavelength; add wavelength_nm "
            "to the survey's definition."
        )
