"""Do the intervals of lens models hold the truth as often as they say, and what do they cost?

    python benchmarks/lens_posterior.py --kind model --n 15
    python benchmarks/lens_posterior.py --kind survey --n 15

``model``: a galaxy, an SIE with shear and a Sérsic source, drawn as the priors are, with white
noise of the stated variance and the PSF that is told; the noise of the fit is the stated one.
``survey``: lenses of the simulator (power-law masses, clumpy sources, a field of galaxies, PSFs
that are not told), with the noise as it is in use. Lenses whose lens test does not support a lens
are counted and left out: nobody would model them. Intervals of shares are 68 and 95 % of the
binomial distribution, Clopper-Pearson. ``--minutes`` ends it early, after whole lenses.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import beta, norm

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import LensTriageError
from lensing_core.lens_model import LensModelSettings, LensPosterior, sample_lens
from lensing_core.lens_test import LensTestSettings
from lensing_core.lens_test.testing import fit_lens
from lensing_core.simulation import Component, Deflector, Frame, Scene, SurveySimulator, render
from lensing_core.surveys import get_survey

SEED = 8101
SIDE, SCALE, FWHM = 44, 0.168, (0.75, 0.65, 0.6)
BANDS, ZERO_POINT, SIGMA = ("g", "r", "i"), 27.0, 0.25
CHECKED = ("theta_e_arcsec", "axis_ratio", "angle_deg", "shear_1", "shear_2", "magnification")


@dataclass(frozen=True)
class Case:
    """A cutout with the truth of some quantities."""

    cutout: np.ndarray
    variance: np.ndarray
    geometry: CutoutGeometry
    truth: dict[str, float]


def of_the_model(n: int, bands: int) -> Iterator[Case]:
    """Lenses of the model that is fitted, in the last of some bands."""
    geometry = CutoutGeometry(
        "drawn", BANDS[-bands:], SIDE, SCALE, "flux", (ZERO_POINT,) * bands, FWHM[-bands:]
    )
    frame = Frame(SIDE, SCALE, (ZERO_POINT,) * bands, FWHM[-bands:])
    for k in range(n):
        rng = np.random.default_rng((SEED, k))
        x, y = rng.normal(0, 0.03, 2)
        light_q, turn = rng.uniform(0.6, 0.95), rng.uniform(0, math.pi)
        light_e = (1 - light_q) / (1 + light_q)
        e1, e2 = 0.8 * light_e * np.array([math.cos(2 * turn), math.sin(2 * turn)]) + rng.normal(
            0, 0.08, 2
        )
        e = min(math.hypot(e1, e2), 0.4)
        q, angle = (1 - e) / (1 + e), math.atan2(e2, e1) / 2
        theta_e = rng.uniform(0.9, 1.7)
        gamma1, gamma2 = rng.normal(0, 0.04, 2)
        galaxy = Component(
            x, y, light_q, turn, rng.uniform(2.0, 4.0), rng.uniform(0.5, 0.9),
            rng.uniform(19.0, 20.0) + np.array([1.2, 0.4, 0.0])[-bands:],
        )  # fmt: skip
        away, where = theta_e * rng.uniform(0.05, 0.4), rng.uniform(0, 2 * math.pi)
        source = Component(
            x + away * math.cos(where), y + away * math.sin(where), rng.uniform(0.5, 0.95),
            rng.uniform(0, math.pi), math.exp(rng.normal(0.1, 0.25)), rng.uniform(0.12, 0.35),
            rng.uniform(22.6, 23.6) + np.array([0.0, 0.1, 0.2])[-bands:], lensed=True,
        )  # fmt: skip
        mass = Deflector(x, y, q, angle, theta_e, gamma1, gamma2)
        image = render([Scene("lens", (galaxy, source), (mass,))], frame)[0]
        bare = render([Scene("lens", (source,), (mass,))], frame)[0]
        flux = 10 ** (-0.4 * (source.magnitudes - ZERO_POINT))
        noisy = image + rng.normal(0, SIGMA, image.shape)
        truth = {
            "theta_e_arcsec": theta_e, "axis_ratio": q, "angle_deg": math.degrees(angle) % 180,
            "shear_1": gamma1, "shear_2": gamma2,
            "magnification": float(np.mean(bare.sum(axis=(1, 2)) / flux)),
        }  # fmt: skip
        yield Case(noisy.astype(np.float32), np.full_like(image, SIGMA**2), geometry, truth)


def of_the_survey(n: int) -> Iterator[Case]:
    """Lenses of the simulator, of which θ_E is known."""
    known = get_survey("hsc")
    bands = tuple(band for band in known.bands if band.name in BANDS)
    simulator = SurveySimulator(known, bands, 64, 1.0, SEED)
    geometry = CutoutGeometry(
        "hsc", tuple(b.name for b in bands), 64, known.pixel_scale_arcsec, "flux",
        tuple(b.zero_point_mag for b in bands), tuple(b.psf_fwhm_arcsec for b in bands),
    )  # fmt: skip
    for k in range(n):
        made = simulator.batch(k, k + 1)
        truth = made.scenes[0].truth
        yield Case(
            made.flux[0], made.variance[0], geometry, {"theta_e_arcsec": truth["theta_e_arcsec"]}
        )


def quantities(model: LensPosterior) -> dict[str, np.ndarray]:
    """Draws of what is checked."""
    q = model.quantities
    turn = 2 * np.radians(q["shear_angle_deg"])
    return {
        **q, "shear_1": q["shear"] * np.cos(turn), "shear_2": q["shear"] * np.sin(turn),
    }  # fmt: skip


def rank(draws: np.ndarray, truth: float, *, is_angle: bool) -> float:
    """Share of the draws below the truth."""
    if is_angle:
        draws, truth = (draws - truth + 90) % 180 - 90, 0.0
    return float((draws < truth).mean())


def share(k: int, n: int) -> str:
    """k of n with its 68 and 95 % Clopper-Pearson intervals."""
    found = []
    for level in (0.68, 0.95):
        tail = (1 - level) / 2
        low = beta.ppf(tail, k, n - k + 1) if k else 0.0
        high = beta.ppf(1 - tail, k + 1, n - k) if k < n else 1.0
        found.append(f"{100 * level:.0f} % [{low:.2f}, {high:.2f}]")
    return f"{k}/{n} = {k / n:.2f}, {', '.join(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kind", choices=("model", "survey"), required=True)
    parser.add_argument("--n", type=int, default=20, help="lenses that are drawn")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--mass", choices=("sie", "epl"), default="sie")
    parser.add_argument("--effective", type=int, default=1000)
    parser.add_argument("--live", type=int, default=500)
    parser.add_argument("--bands", type=int, choices=(1, 2, 3), default=3, help="of --kind model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = LensModelSettings(
        mass=arguments.mass, effective_samples=arguments.effective,
        live_points=arguments.live,
        with_model_error=arguments.kind == "survey",
    )  # fmt: skip
    cases = (
        of_the_model(arguments.n, arguments.bands)
        if arguments.kind == "model"
        else of_the_survey(arguments.n)
    )
    ranks: dict[str, list[float]] = {name: [] for name in CHECKED}
    seconds, calls, effective, left_out, converged = [], [], [], 0, 0
    began = time.perf_counter()
    for k, case in enumerate(cases):
        if time.perf_counter() - began > 60 * arguments.minutes:
            break
        try:
            fitted = fit_lens(
                case.cutout, case.geometry, LensTestSettings(), variance=case.variance
            )
        except LensTriageError:
            left_out += 1
            continue
        if fitted.verdict != "supports":
            left_out += 1
            continue
        used = time.process_time()
        model = sample_lens(fitted, settings)
        seconds.append(time.process_time() - used)
        told = model.summary["diagnostics"]
        calls.append(told["calls"])
        effective.append(told["effective_samples"])
        converged += told["converged"]
        draws = quantities(model)
        for name, truth in case.truth.items():
            ranks[name].append(rank(draws[name], truth, is_angle=name.endswith("_deg")))
        theta_e = model.summary["quantities"]["theta_e_arcsec"]
        print(
            f"{k}: θ_E {case.truth['theta_e_arcsec']:.3f}, found {theta_e['p50']:.3f} "
            f"[{theta_e['p16']:.3f}, {theta_e['p84']:.3f}]; {told['calls']:,} models, "
            f"{told['effective_samples']:,} effective, {seconds[-1]:.0f} s",
            flush=True,
        )
    n = len(seconds)
    if not n:
        print(f"No lens was sampled; {left_out} without a supported lens test.")
        return
    print(f"{n} lenses sampled, {converged} converged; {left_out} left out by the lens test")
    for name, values in ranks.items():
        if values:
            r = np.array(values)
            z = norm.ppf(np.clip(r, 5e-4, 1 - 5e-4))
            print(
                f"{name}: within 68 % {share(int((np.abs(r - 0.5) < 0.34).sum()), n)}; within 95 % "
                f"{share(int((np.abs(r - 0.5) < 0.475).sum()), n)}; pull median {np.median(z):+.2f}"
            )
    print(
        f"processor seconds a lens: median {np.median(seconds):.0f}, largest "
        f"{np.max(seconds):.0f}; models: median {np.median(calls):,.0f}; effective samples: median "
        f"{np.median(effective):,.0f}"
    )


if __name__ == "__main__":
    main()
