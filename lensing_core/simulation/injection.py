"""Arcs painted into real cutouts: real galaxies, noise, PSF and faults, with a known lens.

Only the light of the source is simulated. The field's remedy for networks that learn how a
simulator's galaxies and noise differ from the sky's (for example Petrillo et al. 2017, MNRAS 472,
1129; Rojas et al. 2022, A&A 668, A73).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.errors import BadInputError
from lensing_core.physics import cosmology
from lensing_core.simulation import galaxies, lenses
from lensing_core.simulation.rendering import Frame, render
from lensing_core.simulation.scene import Deflector, Scene
from lensing_core.simulation.survey import MIN_ARC_SNR, MIN_MAGNIFICATION
from lensing_core.surveys import Band

Image = NDArray[np.float32]
MAX_ATTEMPTS = 60


@dataclass(frozen=True)
class Painted:
    """A cutout with arcs, and what is true of them."""

    flux: Image
    truth: dict[str, Any]


@dataclass(frozen=True)
class Injector:
    """Paints arcs around the central galaxies of a catalog's cutouts.

    Attributes
    ----------
    frame : pixel grid, zero points and typical PSF FWHM of the catalog
    bands : of the survey, in the catalog's order
    seed : of the whole job
    """

    frame: Frame
    bands: tuple[Band, ...]
    seed: int

    def paint(
        self,
        index: int,
        flux: Image,
        *,
        psf: Image | None = None,
        redshift: float | None = None,
    ) -> Painted | None:
        """The cutout with the arcs of a lens that could be found, or None if no draw gave one.

        Parameters
        ----------
        index : int
            Number of the object; the same number draws the same lens.
        flux : ndarray of shape (band, y, x)
            NaN where there is no data; stays NaN.
        psf : ndarray of shape (band, py, px), optional
            Of this image, odd-sized; else a Moffat of the catalog's typical width.
        redshift : float, optional
            Of the galaxy; else drawn.
        """
        noise = pixel_noise(flux)
        seen = np.isfinite(noise) & (noise > 0)
        if not seen.any():
            return None
        axis_ratio, angle = shape_of_light(flux[np.flatnonzero(seen)[-1]])
        for attempt in range(MAX_ATTEMPTS):
            rng = galaxies.generator(self.seed, index, attempt)
            scene = self._source(rng, axis_ratio, angle, redshift)
            if scene is None:
                continue
            arcs = render([scene], self.frame, psf_images=None if psf is None else psf[None])[0]
            snr = float(
                (np.sqrt((arcs[seen].astype("f8") ** 2).sum(axis=(1, 2))) / noise[seen]).max()
            )
            magnification = _magnification(scene, arcs, self.frame)
            if snr >= MIN_ARC_SNR and magnification >= MIN_MAGNIFICATION:
                arcs += self._photon_noise(arcs, index, attempt)
                truth = {
                    **scene.truth,
                    "class": "injected_lens",
                    "arc_snr": snr,
                    "magnification": magnification,
                    "seed": self.seed,
                    "index": index,
                    "attempt": attempt,
                }
                return Painted((flux + arcs).astype(np.float32), truth)
        return None

    def _source(
        self, rng: galaxies.Generator, axis_ratio: float, angle: float, redshift: float | None
    ) -> Scene | None:
        """A lens of the population at the galaxy's redshift with its source, or None."""
        wavelengths = np.array([band.wavelength_nm for band in self.bands])
        lens = galaxies.early_type(rng, wavelengths, redshift=redshift)
        z_source = galaxies.source_redshift(rng, lens.redshift)
        theta_e = float(cosmology.sis_einstein_radius_arcsec(lens.sigma_v, lens.redshift, z_source))
        low, high = lenses.THETA_E_RANGE_ARCSEC
        high = min(high, self.frame.size_px * self.frame.pixel_scale_arcsec / 4)
        ratio = float(cosmology.distance_ratio(lens.redshift, z_source))
        if not low <= theta_e <= high or rng.random() > ratio**2:
            return None
        lens = replace(lens, axis_ratio=axis_ratio, angle=angle)
        deflector: Deflector = lenses.galaxy_mass(rng, lens, theta_e, "epl")
        magnitude = galaxies.counts_magnitude(
            rng, *lenses.SOURCE_MAG_RANGE, lenses.SOURCE_COUNT_SLOPE
        )
        x, y = lenses.source_position(rng, theta_e)
        source = galaxies.clumpy_source(rng, wavelengths, z_source, magnitude, x, y)
        seeing = min(self.frame.psf_fwhm_arcsec)
        widest = max(part.half_light_radius for part in source)
        if theta_e**2 <= widest**2 + (seeing / 2) ** 2:
            return None
        truth = lenses.truth_of(deflector, z_source, magnitude, x, y, lens=lens)
        return Scene("injected_lens", source, (deflector,), truth)

    def _photon_noise(self, arcs: Image, index: int, attempt: int) -> Image:
        """Noise of the added light where the survey's gain is known."""
        gain = np.array([band.gain_e_per_unit for band in self.bands])
        variance = np.nan_to_num(arcs / gain[:, None, None], nan=0.0).clip(0)
        rng = galaxies.generator(self.seed, index, attempt, stream=1)
        return (rng.standard_normal(arcs.shape) * np.sqrt(variance)).astype(np.float32)


def pixel_noise(flux: Image) -> NDArray[np.float64]:
    """Noise of an empty pixel by band, from the scatter of the outermost pixels; NaN without data.

    Parameters
    ----------
    flux : shape (band, y, x)
    """
    edge = np.concatenate([flux[:, 0], flux[:, -1], flux[:, :, 0], flux[:, :, -1]], axis=1)
    result = np.full(len(flux), np.nan)
    for k, values in enumerate(edge):
        values = values[np.isfinite(values)]
        if len(values) > 8:
            result[k] = 1.4826 * np.median(np.abs(values - np.median(values)))
    return result


def shape_of_light(image: Image) -> tuple[float, float]:
    """Axis ratio and angle (radians from x towards y) of the galaxy at the centre.

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


def _magnification(scene: Scene, arcs: Image, frame: Frame) -> float:
    magnitudes = np.array([part.magnitudes[0] for part in scene.lensed])
    intrinsic = (10 ** (-0.4 * (magnitudes - frame.zero_points_mag[0]))).sum()
    return float(arcs[0].sum() / intrinsic)


def check_can_be_painted(bands: tuple[Band, ...], pixel_kind: str, catalog: str) -> None:
    """Raise BadInputError for a catalog whose pixels are no flux or whose bands are unknown."""
    if pixel_kind != "flux":
        raise BadInputError(
            f"Catalog {catalog} holds colour pictures, whose pixels are no flux: arcs can be "
            "painted into flux images only."
        )
    unknown = [band.name for band in bands if not np.isfinite(band.wavelength_nm)]
    if unknown:
        raise BadInputError(
            f"Catalog {catalog}: bands {', '.join(unknown)} have no wavelength; add wavelength_nm "
            "to the survey's definition."
        )
