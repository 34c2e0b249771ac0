"""The posterior of a lens, from a fitted cutout to percentiles."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensing_core.errors import BadInputError
from lensing_core.lens_model import derived
from lensing_core.lens_model.coolest import CoolestModel
from lensing_core.lens_model.derived import Images, images_in, magnification, physical
from lensing_core.lens_model.likelihood import LensLikelihood
from lensing_core.lens_model.sampling import Guess, Progress, Sample, sample
from lensing_core.lens_model.settings import VERSION, LensModelSettings, Mass
from lensing_core.lens_model.summary import diagnose, histogram, percentiles, tabulate
from lensing_core.lens_test import shapes
from lensing_core.lens_test.fitting import Fitter, Part, Problem
from lensing_core.lens_test.light import LensLight, grid_of
from lensing_core.lens_test.search import lens_prior, weights
from lensing_core.lens_test.testing import FittedLens
from lensing_core.lens_test.verdict import error_scale
from lensing_core.physics.cosmology import COSMOLOGY

Doubles = NDArray[np.float64]
SLOPE_PRIOR = (2.08, 0.2)
"""Of the slope of the density: 2.078 with a scatter of 0.16 (Auger et al. 2010, ApJ 724, 511)."""
DRAWS = 1000
COMPACT = 0.1
"""Half-light radius in FWHM of the PSF below which a source counts as a point."""
_IMAGE_DRAWS = 100
_STEPS = 25
_STIFF = 1e-9


@dataclass(frozen=True)
class LensPosterior:
    """Posterior of a lens.

    Attributes
    ----------
    mass : {'sie', 'epl'}
    names : tuple of str
        Of the free parameters, see :data:`~lensing_core.lens_test.shapes.POWER_LAW_LENS`.
    sample : Sample
        Weighted points.
    draws : ndarray of shape (draw, parameter)
        Of equal weight.
    quantities : dict of str to ndarray of shape (draw,)
        What is physical, of each draw.
    best : ndarray of shape (parameter,)
        Of the highest posterior density.
    source_amplitudes, light_amplitudes : ndarray of shape (band,)
        At the best parameters, of the source and the galaxy at their half-light radii; flux of the
        cutout a square arcsecond.
    light : LensLight
    counted : ndarray of shape (band, y, x)
        Pixels that were fitted.
    images : Images
        Of the source's center.
    summary : dict
        All but samples, as plain JSON.
    """

    mass: Mass
    names: tuple[str, ...]
    sample: Sample
    draws: Doubles
    quantities: dict[str, Doubles]
    best: Doubles
    source_amplitudes: Doubles
    light_amplitudes: Doubles
    light: LensLight
    counted: NDArray[np.bool_]
    images: Images
    summary: dict[str, Any]


def sample_lens(
    fitted: FittedLens,
    settings: LensModelSettings | None = None,
    *,
    start: CoolestModel | None = None,
    checkpoint: Path | None = None,
    look: Callable[[Progress], None] | None = None,
) -> LensPosterior:
    """Sample the posterior around a fit.

    Parameters
    ----------
    fitted : FittedLens
        Of :func:`lensing_core.lens_test.testing.fit_lens`.
    settings : LensModelSettings, optional
    start : CoolestModel, optional
        A model to begin with in place of the fit's.
    checkpoint : Path, optional
        File from which an interrupted sampling goes on.
    look : callable, optional
        Called now and then; what it raises ends the sampling.

    Raises
    ------
    BadInputError
        If the fit ends where the data do not hold it.
    """
    settings = settings or LensModelSettings()
    began = time.perf_counter()
    problem, begun = lens_problem(fitted, settings, start)
    fitter = Fitter(problem)
    end = fitter.minimize(begun[None], _STEPS).parameters
    covariance = fitter.covariance(end)[0].double().numpy()
    mean = end[0].double().numpy()
    if not (np.isfinite(covariance).all() and np.isfinite(mean).all()):
        raise BadInputError("The fit of this lens has no errors: its posterior cannot be sampled.")
    likelihood = LensLikelihood(problem)
    prior_mean = problem.prior_mean[0].double().numpy()
    prior_sigma = problem.prior_sigma[0].double().numpy()

    def log_posterior(points: Doubles) -> Doubles:
        pull = (((points - prior_mean) / prior_sigma) ** 2).sum(axis=1)
        return np.asarray(likelihood(points) - pull / 2 - np.log(prior_sigma).sum())

    drawn = sample(
        log_posterior,
        Guess.around(mean, _symmetric(covariance)),
        effective=settings.effective_samples,
        live_points=settings.live_points,
        seed=settings.seed,
        checkpoint=checkpoint,
        look=look,
    )
    return _describe(fitted, settings, problem, likelihood, drawn, began)


def lens_problem(
    fitted: FittedLens, settings: LensModelSettings, start: CoolestModel | None = None
) -> tuple[Problem, Tensor]:
    """The problem of one lens with the noise that counts, and where it begins.

    Weights hold the correlation of the noise and, where the fit is a poor one, its reduced χ²: as
    the errors of the lens test.
    """
    light = fitted.light
    begun = fitted.lens.parameters if start is None else torch.tensor(start.parameters())
    begun = begun[: len(shapes.LENS)]
    scale = error_scale(light, fitted.lens)
    if not settings.with_model_error:
        light = replace(light, sigma=light.observed.sigma)
    weight = weights(light, math.exp(float(begun[0]))) / math.sqrt(scale)
    mean, sigma = lens_prior(light)
    names: tuple[str, ...] = shapes.LENS
    if settings.mass == "epl":
        names = shapes.POWER_LAW_LENS
        mean = torch.cat([mean, torch.tensor([[SLOPE_PRIOR[0]]])], dim=1)
        sigma = torch.cat([sigma, torch.tensor([[SLOPE_PRIOR[1]]])], dim=1)
        slope = 2.0 if start is None else start.slope
        begun = torch.cat([begun, torch.tensor([slope])])
    pixel = light.observed.scale_arcsec
    fine = math.ceil(2 * pixel / max(math.exp(float(begun[11])), 1e-3))
    problem = Problem(
        torch.from_numpy(light.observed.flux)[None],
        weight[None],
        grid_of(light.observed, min(max(fine, 2), 4)),
        (Part(shapes.lensed_source, len(names)),),
        mean.float(),
        sigma.float(),
        light.fixed,
        light.fixed_sigma,
    )
    return problem, begun.float()


def _symmetric(covariance: Doubles) -> Doubles:
    """The same, symmetric and positive definite in spite of rounding."""
    even = (covariance + covariance.T) / 2
    scale = np.sqrt(np.abs(np.diag(even)))
    values, vectors = np.linalg.eigh(even / np.outer(scale, scale))
    positive = (vectors * np.maximum(values, _STIFF)) @ vectors.T
    return np.asarray(positive * np.outer(scale, scale))


def _describe(
    fitted: FittedLens,
    settings: LensModelSettings,
    problem: Problem,
    likelihood: LensLikelihood,
    drawn: Sample,
    began: float,
) -> LensPosterior:
    light, observed = fitted.light, fitted.light.observed
    names = shapes.POWER_LAW_LENS if settings.mass == "epl" else shapes.LENS
    draws = drawn.draw(DRAWS, settings.seed)
    best = drawn.points[np.argmax(drawn.log_density)]
    quantities = physical(draws)
    quantities["magnification"] = magnification(likelihood, draws)
    theta_e = quantities["theta_e_arcsec"]
    if not math.isnan(settings.z_lens):
        quantities["theta_e_kpc"] = derived.einstein_radius_kpc(theta_e, settings.z_lens)
    if settings.has_redshifts:
        z = (settings.z_lens, settings.z_source)
        quantities["mass_msun"] = derived.mass_in_einstein_radius(theta_e, *z)
        if settings.mass == "sie":
            quantities["sigma_v_km_s"] = derived.velocity_dispersion(theta_e, *z)
    images = images_in(draws[:_IMAGE_DRAWS])
    n_pixels = int((problem.weight > 0).sum())
    scale = error_scale(light, fitted.lens)
    chi2 = float(likelihood.chi2(best[None])[0]) * scale
    per_arcsec2 = observed.unit / observed.scale_arcsec**2
    source, others = likelihood.amplitudes(best[None])
    is_compact = float(np.median(quantities["source_radius_arcsec"])) < (
        COMPACT * observed.fwhm_arcsec
    )
    table = tabulate(quantities)
    summary = {
        "version": VERSION,
        "mass": settings.mass,
        "settings": settings.to_json(),
        "cosmology": COSMOLOGY.name,
        "lens_test": {"verdict": fitted.verdict, "sentence": fitted.sentence},
        "bands": list(observed.bands),
        "quantities": table,
        "best": {name: float(v[0]) for name, v in physical(best[None]).items()},
        "images": _images(images, settings, is_compact=is_compact),
        "is_compact": is_compact,
        "histogram": histogram(theta_e),
        "diagnostics": diagnose(drawn, draws, problem.prior_sigma[0].double().numpy(), names),
        "reduced_chi2": chi2 / max(n_pixels, 1),
        "n_pixels": n_pixels,
        "noise_scale": scale,
        "priors": {
            name: {"mean": float(m), "sigma": float(s)}
            for name, m, s in zip(
                names, problem.prior_mean[0].tolist(), problem.prior_sigma[0].tolist(), strict=True
            )
        },
        "seconds": time.perf_counter() - began,
    }
    return LensPosterior(
        settings.mass, names, drawn, draws, quantities, best, source[0] * per_arcsec2,
        others[0, :, 0] * per_arcsec2, light,
        (problem.weight[0] > 0).numpy(), images, summary,
    )  # fmt: skip


def _images(images: Images, settings: LensModelSettings, *, is_compact: bool) -> dict[str, Any]:
    """Places, magnifications and, of a compact source, delays after the first image in days."""
    days = (
        derived.days_per_arcsec2(settings.z_lens, settings.z_source)
        if settings.has_redshifts and is_compact
        else None
    )
    each = []
    for k in range(images.n):
        one: dict[str, Any] = {
            "x_arcsec": float(np.median(images.x[:, k])),
            "y_arcsec": float(np.median(images.y[:, k])),
            "magnification": percentiles(images.magnification[:, k]),
            "delay_days": None,
        }
        if days is not None:
            one["delay_days"] = percentiles(days * images.fermat_arcsec2[:, k])
        each.append(one)
    return {"share": images.share, "each": each}
