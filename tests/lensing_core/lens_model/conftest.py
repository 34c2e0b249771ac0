"""A simulated lens, and its posterior without the cost of a sampling."""

from __future__ import annotations

import numpy as np
import pytest

from lensing_core.cutouts import CutoutGeometry
from lensing_core.lens_model import LensModelSettings, LensPosterior, posterior, sample_lens
from lensing_core.lens_model.sampling import Guess, Sample
from lensing_core.lens_test import LensTestSettings
from lensing_core.lens_test.testing import FittedLens, fit_lens
from lensing_core.simulation import Component, Deflector, Frame, Scene, render

SIDE, SCALE, FWHM = 40, 0.18, 0.6


@pytest.fixture(scope="session")
def fitted() -> FittedLens:
    """A fit of a lens with θ_E = 1.2″."""
    galaxy = Component(0.03, -0.04, 0.8, 0.4, 3.0, 0.8, np.array([19.6, 19.0]))
    source = Component(0.25, 0.15, 0.8, 1.0, 1.0, 0.2, np.array([22.4, 22.6]), lensed=True)
    mass = Deflector(0.03, -0.04, 0.75, 0.4, 1.2, 0.03, -0.02)
    scene = Scene("lens", (galaxy, source), (mass,))
    frame = Frame(SIDE, SCALE, (27.0, 27.0), (FWHM, FWHM))
    noise = np.random.default_rng(3).normal(0, 0.25, (2, SIDE, SIDE))
    cutout = (render([scene], frame)[0] + noise).astype(np.float32)
    geometry = CutoutGeometry("test", ("g", "r"), SIDE, SCALE, "flux", (27.0, 27.0), (FWHM, FWHM))
    return fit_lens(cutout, geometry, LensTestSettings(starts=2, max_theta_e_arcsec=1.8))


def weighted_guess(log_posterior, guess: Guess, *, effective: int, seed: int, **others) -> Sample:
    """Importance sampling of the guess, which the Laplace approximation is."""
    rng = np.random.default_rng(seed)
    points = guess.from_cube(rng.random((300, len(guess.mean))))
    log_density = log_posterior(points)
    log_weight = log_density - guess.log_density(points)
    log_weight -= np.logaddexp.reduce(log_weight)
    effective = 1 / np.exp(2 * log_weight).sum()
    return Sample(points, log_weight, log_density, 0.0, len(points), effective, True)


@pytest.fixture(scope="session")
def models(fitted: FittedLens) -> dict[str, LensPosterior]:
    """Posteriors of an SIE with redshifts and of a power law without, by importance sampling."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "sample", weighted_guess)
        patch.setattr(posterior, "DRAWS", 150)
        patch.setattr(posterior, "_IMAGE_DRAWS", 12)
        return {
            "sie": sample_lens(fitted, LensModelSettings(z_lens=0.4, z_source=1.5)),
            "epl": sample_lens(fitted, LensModelSettings(mass="epl", with_model_error=False)),
        }
