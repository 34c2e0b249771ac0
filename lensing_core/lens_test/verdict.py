"""Verdict of a fit: supports a lens, no lens model fits, or undecided.

A flexible model fits much that is no lens, so that a low χ² alone supports nothing. A lens is
supported where all hold: the light beside the galaxy is significant; the lens explains nearly all
of it; it beats galaxies or a ring that are not lensed, by BIC; at least two images are seen, one on
either side of the critical curve, and each by itself is significant and as bright as the other
demands; the Einstein radius is resolved and known. Thresholds were chosen on simulations that no
published figure is taken from.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from lensing_core.lens_test import shapes
from lensing_core.lens_test.curves import images_of, inverse_magnification
from lensing_core.lens_test.evidence import Evidence, Verdict
from lensing_core.lens_test.fitting import Fitter, Problem
from lensing_core.lens_test.light import LensLight, grid_of
from lensing_core.lens_test.rivals import Rival, fit_rivals
from lensing_core.lens_test.search import OUTERMOST, LensFit

LEAST_SNR = 10.0
LEAST_SHARE = 0.9
LEAST_IMAGE_SNR = 8.0
LEAST_DELTA_BIC, LEAST_LEAD = 10.0, 20.0
"""Of BIC: a difference that counts, and by which a lens must lead over all else."""
MOST_UNEQUAL = 0.15
MOST_ERROR = 0.15
LEAST_RADIUS_FWHM = 0.6
MODEL_ERROR = 0.06
"""Of θ_E, relative: scatter on simulated lenses that are no isothermal ellipsoids."""
_HOPELESS_SHARE, _GOOD_SHARE = 0.5, 0.9


def error_scale(light: LensLight, lens: LensFit) -> float:
    """Factor by which the covariance of white noise is multiplied."""
    n = max(1, int(lens.counted.sum()))
    return light.observed.correlation * max(1.0, lens.chi2 / n)


def theta_e_error(light: LensLight, lens: LensFit) -> float:
    """Return the relative error of the Einstein radius.

    Fisher's, the spread of the good starts, and what the model leaves out.
    """
    fisher = float(lens.covariance[0, 0].clamp_min(0)) * error_scale(light, lens)
    return math.hypot(math.sqrt(fisher), lens.log_theta_spread, MODEL_ERROR)


def decide(light: LensLight, fits: list[LensFit]) -> tuple[LensFit, Evidence, Verdict, str]:
    """The fit that is shown, its evidence, the verdict and its reason.

    Of the two that describe the cutout in the fewest bits the first that supports a lens, or else
    the first.
    """
    found = []
    for fit in _ranked(light, fits)[:2]:
        evidence = weigh(light, fit)
        verdict, sentence = judge(evidence, fit.theta_e, light.observed.fwhm_arcsec)
        found.append((fit, evidence, verdict, sentence))
        if verdict == "supports":
            return found[-1]
    return found[0]


def _ranked(light: LensLight, fits: list[LensFit]) -> list[LensFit]:
    """Fits by the bits they need, those with a counter-image first.

    Fits of different Einstein radii count different pixels. What one leaves out counts as galaxies
    beside the lens that fit perfectly, at the price of their parameters in BIC: so a small radius
    does not win by counting little, nor a large one by explaining bright neighbors badly.
    """
    correlation = light.observed.correlation
    widest = max(_reach(light, fit.theta_e) for fit in fits)
    n = max(int(fit.counted.sum()) for fit in fits) / correlation
    galaxy = (len(shapes.SERSIC) + len(light.observed.flux)) * math.log(max(n, 2))

    def key(fit: LensFit) -> tuple[bool, float]:
        reach = _reach(light, fit.theta_e)
        distances = [math.hypot(one.x - light.x, one.y - light.y) for one in light.segments]
        left_out = sum(reach < distance <= widest for distance in distances)
        length = (fit.chi2 - float(fit.counted.sum())) / correlation + left_out * galaxy
        return min(either_side(light, fit)[:2]) < LEAST_IMAGE_SNR, length

    return sorted(fits, key=key)


def _reach(light: LensLight, theta_e: float) -> float:
    return OUTERMOST * theta_e + 0.5 * light.observed.fwhm_arcsec


def weigh(light: LensLight, lens: LensFit) -> Evidence:
    """Gather the evidence for one fit."""
    correlation = light.observed.correlation
    n = int(lens.counted.sum()) / correlation
    gain, _, share = _budget(light, lens)
    rivals = fit_rivals(light, lens)
    bands = len(light.observed.flux)
    scale = error_scale(light, lens)

    def bic(chi2: float, n_free: int) -> float:
        return chi2 / scale + n_free * math.log(max(n, 2))

    own = bic(lens.chi2, len(shapes.LENS) + bands)
    best: Rival = min(rivals, key=lambda one: bic(one.chi2, one.n_free))
    images = images_of(lens.parameters, float(lens.parameters[7]), float(lens.parameters[8]))
    inner, outer, unequal = either_side(light, lens)
    return Evidence(
        snr=math.sqrt(max(gain, 0) / correlation),
        share=share,
        delta_bic=bic(lens.chi2_alone, 0) - own,
        rival=best.name,
        rival_delta_bic=bic(best.chi2, best.n_free) - own,
        n_images=len(images),
        inner_snr=inner,
        outer_snr=outer,
        unequal=unequal,
        theta_e_error=theta_e_error(light, lens),
    )


def judge(evidence: Evidence, theta_e: float, fwhm_arcsec: float) -> tuple[Verdict, str]:
    """The verdict and its reason, one sentence."""
    e = evidence
    if e.snr < LEAST_SNR:
        return "unclear", (
            f"Cannot be told: too little light in addition to the galaxy's (S/N {e.snr:.0f})."
        )
    if e.share < _HOPELESS_SHARE and e.rival_delta_bic < LEAST_DELTA_BIC:
        return "no_lens", (
            f"No lens model fits: the best explains {100 * e.share:.0f} % of the light beside the "
            "galaxy's."
        )
    if e.rival_delta_bic < -LEAST_DELTA_BIC and e.share < _GOOD_SHARE:
        return "no_lens", (
            f"No lens model fits as well as {e.rival} (ΔBIC {-e.rival_delta_bic:.0f})."
        )
    reservations = _reservations(e, theta_e, fwhm_arcsec)
    if reservations:
        return "unclear", f"Cannot be told: {reservations[0]}."
    return "supports", (
        f"Supports a lens: {e.n_images} images of one source explain {100 * e.share:.0f} % of the "
        f"light beside the galaxy's, better than {e.rival} (ΔBIC {e.rival_delta_bic:.0f})."
    )


def _reservations(e: Evidence, theta_e: float, fwhm_arcsec: float) -> list[str]:
    """Reasons why a lens is not supported, the weightiest first."""
    reservations = []
    if e.share < LEAST_SHARE:
        best = (
            "" if e.rival_delta_bic < LEAST_DELTA_BIC else ", though more than any without a lens"
        )
        reservations.append(
            f"the lens model explains only {100 * e.share:.0f} % of the light beside the galaxy's"
            + best
        )
    if e.rival_delta_bic < LEAST_LEAD:
        alike = "as well" if e.rival_delta_bic > -LEAST_DELTA_BIC else "better"
        reservations.append(f"{e.rival} would explain the light {alike}")
    if e.n_images < 2:
        reservations.append("the model has a single image, which any neighbor would be")
    elif min(e.inner_snr, e.outer_snr) < LEAST_IMAGE_SNR:
        reservations.append(
            f"the counter-image is too faint (S/N {min(e.inner_snr, e.outer_snr):.1f})"
        )
    if e.unequal > MOST_UNEQUAL:
        reservations.append("the images are not as bright as one source would make them")
    if theta_e < LEAST_RADIUS_FWHM * fwhm_arcsec:
        reservations.append("the images are closer than the PSF is wide")
    if e.theta_e_error > MOST_ERROR:
        reservations.append(f"the Einstein radius is uncertain by {100 * e.theta_e_error:.0f} %")
    return reservations


def _budget(light: LensLight, lens: LensFit) -> tuple[float, float, float]:
    """χ² explained, left and the share, where arcs are, beyond what noise leaves."""
    observed = light.observed
    axis = observed.axis_arcsec()
    radius = np.hypot(axis[None, :] - light.x, axis[:, None] - light.y)
    reach = _reach(light, lens.theta_e)
    where = (radius <= reach)[None] & lens.counted
    weight = np.where(where, 1 / light.sigma, 0)
    bright = (np.abs(lens.arcs) * weight > 0.5).any(axis=0)
    for segment in light.segments:
        bright |= segment.pixels
    weight = weight * bright
    n = float((weight > 0).sum())
    left = float((((observed.flux - lens.galaxy - lens.arcs) * weight) ** 2).sum()) - n
    alone = float((((observed.flux - lens.alone) * weight) ** 2).sum()) - n
    left, alone = max(left, 0.0), max(alone, 1.0)
    return max(lens.chi2_alone - lens.chi2, 0.0), left, max(0.0, 1 - left / alone)


def either_side(light: LensLight, lens: LensFit) -> tuple[float, float, float]:
    """S/N of the images inside and outside the critical curve, and how unequal they are."""
    grid = grid_of(light.observed, 2)
    weight = torch.from_numpy(np.where(lens.counted, 1 / light.sigma, 0).astype(np.float32))[None]
    data = torch.from_numpy(light.observed.flux)[None]
    none = torch.zeros(1, 0)
    fitter = Fitter(Problem(data, weight, grid, (), none, none, light.fixed, light.fixed_sigma))
    x, y = fitter.x, fitter.y
    own = lens.parameters[:, None, None]
    whole = shapes.lensed_source(own, x, y)
    inside = inverse_magnification(lens.parameters.double(), x.double(), y.double()) < 0
    split = torch.stack([whole * inside, whole * ~inside])
    pictures = grid.observe(split, fitter.transfer)  # (2, band, y, x)
    both = pictures.transpose(0, 1)[None]
    empty = torch.zeros_like(pictures[:1]).transpose(0, 1)[None]
    chi2 = {
        "both": float(fitter.solve(none, both).cost[0]),
        "inner": float(fitter.solve(none, torch.cat([both[:, :, :1], empty], dim=2)).cost[0]),
        "outer": float(fitter.solve(none, torch.cat([empty, both[:, :, 1:]], dim=2)).cost[0]),
        "one": float(fitter.solve(none, both.sum(dim=2, keepdim=True)).cost[0]),
    }
    correlation = light.observed.correlation
    inner = math.sqrt(max(chi2["outer"] - chi2["both"], 0) / correlation)
    outer = math.sqrt(max(chi2["inner"] - chi2["both"], 0) / correlation)
    gain = max(lens.chi2_alone - lens.chi2, 1.0)
    return inner, outer, max(0.0, chi2["one"] - chi2["both"]) / gain
