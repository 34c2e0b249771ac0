"""Simulated surveys: scenes drawn, selected, rendered and observed, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError
from lensing_core.simulation import clusters, contaminants, galaxies, lenses
from lensing_core.simulation.artifacts import add_artifacts
from lensing_core.simulation.lenses import Mass, lensed_only
from lensing_core.simulation.noise import observed_noise, sky_sigma, variance
from lensing_core.simulation.rendering import Frame, render
from lensing_core.simulation.scene import ARTIFACTS, Scene
from lensing_core.surveys import Band, Survey

MAX_ATTEMPTS = 200
MIN_ARC_SNR = 20.0
MIN_MAGNIFICATION = 3.0
MIN_CLUSTER_SIZE_ARCSEC = 64.0
Scale = Literal["galaxy", "cluster"]


@dataclass(frozen=True)
class SimulatedBatch:
    """Observed images and the scenes they show.

    Attributes
    ----------
    flux, variance : ndarray of shape (n, band, y, x), float32, in the survey's flux unit
    scenes : with truth completed by arc S/N, magnification and attempt
    """

    flux: Float32Array
    variance: Float32Array
    scenes: tuple[Scene, ...]


@dataclass(frozen=True)
class SurveySimulator:
    """Draws objects by number: the same number gives the same pixels in any batch.

    Attributes
    ----------
    survey, bands : what to imitate
    size_px : side of the cutouts
    lens_fraction : probability that an object is a lens
    seed : of the whole simulation
    scale : of the lenses
    quasar_fraction : probability that the source of a galaxy-scale lens is a quasar, and that a
        non-lens is a galaxy with points beside it
    group_fraction : probability that a galaxy-scale lens is a group with images far apart, and that
        a non-lens is such a group
    artifact_fraction : probability that an image, of whatever object, has a fault
    mass : of single galaxies
    min_arc_snr, min_magnification : what a lens must have to be in the survey
    noise_correlation_px : largest σ of the blur that resampling gave the noise of an image
    device : where images are rendered
    """

    survey: Survey
    bands: tuple[Band, ...]
    size_px: int
    lens_fraction: float
    seed: int
    scale: Scale = "galaxy"
    quasar_fraction: float = 0.0
    group_fraction: float = 0.0
    artifact_fraction: float = 0.0
    mass: Mass = "epl"
    min_arc_snr: float = MIN_ARC_SNR
    min_magnification: float = MIN_MAGNIFICATION
    noise_correlation_px: float = 0.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        self.survey.check_noise_known(band.name for band in self.bands)
        if any(band.depth_mag != band.depth_mag for band in self.bands):
            raise BadInputError(f"Survey {self.survey.name}: every simulated band needs a depth.")
        if self.scale == "cluster" and self.size_arcsec < MIN_CLUSTER_SIZE_ARCSEC - 1:
            raise BadInputError(
                f"Cutouts of {self.size_arcsec:.0f} arcsec: cluster-scale lenses need at least "
                f"{MIN_CLUSTER_SIZE_ARCSEC:.0f}."
            )

    @property
    def size_arcsec(self) -> float:
        """Side of the cutouts on the sky."""
        return self.size_px * self.survey.pixel_scale_arcsec

    @property
    def frame(self) -> Frame:
        """Pixel grid and calibration of the images."""
        return Frame(
            self.size_px,
            self.survey.pixel_scale_arcsec,
            tuple(band.zero_point_mag for band in self.bands),
            tuple(band.psf_fwhm_arcsec for band in self.bands),
            oversampling=4 if self.scale == "galaxy" else 2,
        )

    def scene(self, index: int, attempt: int = 0) -> Scene:
        """Return what object ``index`` is, at the given attempt to pass the selection."""
        return self._among_others(self._drawn(index, attempt), index, attempt)

    def _drawn(self, index: int, attempt: int) -> Scene:
        """The object by itself, in a seeing of its own."""
        rng = galaxies.generator(self.seed, index, attempt)
        is_lens = galaxies.generator(self.seed, index).random() < self.lens_fraction
        draw = self._lens if is_lens else self._contaminant
        scene = draw(rng, self._wavelengths_nm)
        if not scene.artifacts and rng.random() < self.artifact_fraction:
            scene = replace(scene, artifacts=(str(rng.choice(ARTIFACTS)),))
        return replace(scene, seeing=galaxies.seeing(rng, len(self.bands)))

    def _among_others(self, scene: Scene, index: int, attempt: int) -> Scene:
        rng = galaxies.generator(self.seed, index, attempt, stream=4)
        return galaxies.among_others(rng, scene, self._wavelengths_nm, self.size_arcsec)

    @property
    def _wavelengths_nm(self) -> Float64Array:
        return np.array([band.wavelength_nm for band in self.bands])

    def _lens(self, rng: galaxies.Generator, wavelengths: Float64Array) -> Scene:
        if self.scale == "cluster":
            return clusters.cluster_lens(rng, wavelengths, self.size_arcsec)
        kind = rng.random()
        if kind < self.quasar_fraction:
            return lenses.quasar_lens(rng, wavelengths, self.mass)
        if kind < self.quasar_fraction + self.group_fraction:
            return clusters.group_lens(rng, wavelengths, self.size_arcsec)
        return lenses.galaxy_lens(rng, wavelengths, self.mass)

    def _contaminant(self, rng: galaxies.Generator, wavelengths: Float64Array) -> Scene:
        if self.scale == "cluster":
            return clusters.cluster_contaminant(rng, wavelengths, self.size_arcsec)
        # Groups and points are to be among both, or each would be a mark of lenses.
        kind = rng.random()
        if kind < self.quasar_fraction:
            return contaminants.point_alignment(rng, wavelengths)
        if kind < self.quasar_fraction + self.group_fraction:
            return clusters.group_without_arcs(rng, wavelengths, self.size_arcsec)
        return contaminants.contaminant(rng, wavelengths)

    def batch(self, start: int, stop: int) -> SimulatedBatch:
        """Objects ``start`` to ``stop`` − 1, observed."""
        scenes = self._select(start, stop)
        images = render(scenes, self.frame, device=self.device)
        var = variance(images, self.bands, self.survey.pixel_scale_arcsec)
        for k, image in enumerate(images):
            rng = galaxies.generator(self.seed, start + k, stream=1)
            correlation = rng.uniform(0, self.noise_correlation_px)
            noise, factor = observed_noise(rng, var[k], correlation)
            image += noise
            var[k] *= factor
            add_artifacts(image, scenes[k].artifacts, self._sky, rng)
        return SimulatedBatch(images, var, tuple(scenes))

    def _select(self, start: int, stop: int) -> list[Scene]:
        """Scenes, a lens drawn anew until it could be found at all.

        Criteria of Collett 2015 (ApJ 811, 20): images resolved, θ_E² > r_s² + (seeing / 2)²;
        magnification; S/N of the arcs (here matched-filter S/N against the sky in the best band).
        He asks for 3 and 20. They are judged on arcs sampled twice a pixel, which is cheap and
        good to a per cent.
        """
        frame = replace(self.frame, oversampling=2)
        scenes: dict[int, Scene] = {}
        waiting, attempt = list(range(start, stop)), 0
        while waiting:
            if attempt == MAX_ATTEMPTS:
                raise BadInputError(
                    f"Survey {self.survey.name}: no detectable lens in {MAX_ATTEMPTS} draws; its "
                    "depth or seeing hides such arcs."
                )
            drawn = {index: self._drawn(index, attempt) for index in waiting}
            for index, scene in drawn.items():
                if not scene.is_lens:
                    whole = self._among_others(scene, index, attempt)
                    scenes[index] = _with_truth(whole, seed=self.seed, index=index)
            possible = [i for i, scene in drawn.items() if scene.is_lens and self._resolved(scene)]
            sources = [replace(drawn[i], components=lensed_only(drawn[i])) for i in possible]
            arcs = render(sources, frame, device=self.device)
            snr = (np.sqrt((arcs.astype("f8") ** 2).sum(axis=(2, 3))) / self._sky).max(axis=1)
            for k, index in enumerate(possible):
                magnification = self._magnification(sources[k], arcs[k])
                if snr[k] >= self.min_arc_snr and magnification >= self.min_magnification:
                    scenes[index] = _with_truth(
                        self._among_others(drawn[index], index, attempt),
                        seed=self.seed,
                        index=index,
                        attempt=attempt,
                        arc_snr=float(snr[k]),
                        magnification=magnification,
                    )
            waiting = [index for index in waiting if index not in scenes]
            attempt += 1
        return [scenes[index] for index in range(start, stop)]

    @property
    def _sky(self) -> Float64Array:
        return np.array([sky_sigma(band, self.survey.pixel_scale_arcsec) for band in self.bands])

    def _resolved(self, scene: Scene) -> bool:
        if self.scale == "cluster":
            return True
        radius = max((part.half_light_radius for part in scene.lensed), default=0.0)
        seeing = min(band.psf_fwhm_arcsec for band in self.bands)
        theta_e: float = scene.truth["theta_e_arcsec"]
        return theta_e**2 > radius**2 + (seeing / 2) ** 2

    def _magnification(self, scene: Scene, arcs: Float32Array) -> float:
        """Lensed over intrinsic flux in the bluest band; flux outside the cutout is not counted."""
        if scene.lensed:
            magnitudes = np.array([part.magnitudes[0] for part in scene.lensed])
            intrinsic = (10 ** (-0.4 * (magnitudes - self.bands[0].zero_point_mag))).sum()
        else:  # a quasar's points: its magnitude is that at 617 nm
            intrinsic = 10 ** (-0.4 * (scene.truth["source_mag"] - self.bands[0].zero_point_mag))
        return float(arcs[0].sum() / intrinsic)


def _with_truth(scene: Scene, **more: float) -> Scene:
    return replace(scene, truth={"class": scene.object_class, **scene.truth, **more})
