"""How often is the lens test right, and how fast is it?

    python benchmarks/lens_test.py --what simulations --n 150
    python benchmarks/lens_test.py --what contaminants --n 300
    python benchmarks/lens_test.py --what known DATA
    python benchmarks/lens_test.py --what others DATA --n 100
    python benchmarks/lens_test.py --what time --n 40
    python benchmarks/lens_test.py --what lenstronomy --n 3

Simulations are drawn with seeds that nothing was settled on: power-law masses, clumpy sources, a
field of other galaxies, Moffat PSFs whose width and wings the test is not told; it is told the
variance. DATA is the folder of public data with ``hst_jwst_pyautolens``, ``euclid_q1_galaxy``,
``sled_ps1``, ``ps1_real_sky`` and ``des_lrgs``. ``lenstronomy`` fits the same cutouts by its own
particle swarm with the same mass, source, noise and PSF, in the same run. Intervals of shares are
95 %, Clopper-Pearson; 68 % halves of other scatters are 1.48 median absolute deviations.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from astropy.io import fits
from numpy.typing import NDArray
from scipy.stats import beta

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import LensTriageError
from lensing_core.lens_test import LensTestResult, run_lens_test
from lensing_core.simulation import SurveySimulator
from lensing_core.surveys import get_survey

Array = NDArray[np.float32]
BANDS = {"hsc": ("g", "r", "i"), "ps1": ("g", "r", "i")}
SEEDS = {"lenses": 7301, "contaminants": 7202, "time": 7203}
RADIUS_EDGES = (0.5, 0.8, 1.2, 1.8, 3.1)
SNR_EDGES = (20, 50, 100, 200, math.inf)


@dataclass(frozen=True)
class Case:
    """A cutout with what is known of it."""

    name: str
    cutout: Array
    geometry: CutoutGeometry
    variance: Array | None = None
    psf: Array | None = None
    theta_e: float = math.nan
    arc_snr: float = math.nan


@dataclass(frozen=True)
class Told:
    """What the test said, without its pictures."""

    name: str
    verdict: str
    sentence: str
    theta_e: float
    error: float
    true_theta_e: float
    arc_snr: float
    seconds: float
    processor_s: float
    reduced_chi2: float


def test_case(case: Case) -> Told:
    """Test one cutout in this process, by one thread."""
    torch.set_num_threads(1)
    began, used = time.perf_counter(), time.process_time()
    try:
        found: LensTestResult | None = run_lens_test(
            case.cutout, case.geometry, variance=case.variance, psf=case.psf
        )
        said = ""
    except LensTriageError as error:
        found, said = None, str(error)
    took = time.perf_counter() - began, time.process_time() - used
    if found is None:
        return Told(
            case.name, "failed", said, *[math.nan] * 2, case.theta_e, case.arc_snr, *took, 0
        )
    radius = found.theta_e_arcsec
    return Told(
        case.name, found.verdict, found.sentence, radius.value, radius.error, case.theta_e,
        case.arc_snr, *took, found.reduced_chi2,
    )  # fmt: skip


def test_all(cases: Iterator[Case], processes: int) -> list[Told]:
    """Test cutouts in several processes."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(test_case, cases))


def simulated(survey: str, kind: str, n: int, *, start: int = 0, batch: int = 20) -> Iterator[Case]:
    """Cutouts of 64 px of lenses or of others."""
    known = get_survey(survey)
    bands = tuple(band for band in known.bands if band.name in BANDS[survey])
    lens_fraction = 0.0 if kind == "contaminants" else 1.0
    simulator = SurveySimulator(known, bands, 64, lens_fraction, SEEDS[kind])
    geometry = CutoutGeometry(
        survey, tuple(b.name for b in bands), 64, known.pixel_scale_arcsec, "flux",
        tuple(b.zero_point_mag for b in bands), tuple(b.psf_fwhm_arcsec for b in bands),
    )  # fmt: skip
    for first in range(start, start + n, batch):
        made = simulator.batch(first, min(first + batch, start + n))
        for k, scene in enumerate(made.scenes):
            yield Case(
                scene.truth["class"], made.flux[k], geometry, made.variance[k],
                theta_e=scene.truth.get("theta_e_arcsec", math.nan),
                arc_snr=scene.truth.get("arc_snr", math.nan),
            )  # fmt: skip


def share(k: int, n: int) -> str:
    """k of n with its 95 % Clopper-Pearson interval."""
    if not n:
        return "–"
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{k}/{n} = {k / n:.2f} [{low:.2f}, {high:.2f}]"


def verdicts(told: list[Told]) -> str:
    """Shares of the verdicts."""
    count = Counter(one.verdict for one in told)
    return "; ".join(f"{name} {share(count[name], len(told))}" for name in sorted(count))


def radii(told: list[Told]) -> str:
    """Bias and scatter of θ_E over its truth, and how many errors it is off."""
    if len(told) < 3:
        return "–"
    off = np.array([one.theta_e / one.true_theta_e - 1 for one in told])
    pull = np.array([(one.theta_e - one.true_theta_e) / one.error for one in told])
    middle = float(np.median(off))
    scatter = 1.48 * float(np.median(np.abs(off - middle)))
    return (
        f"median {100 * middle:+.1f} %, scatter {100 * scatter:.1f} %, off by more than 20 %: "
        f"{share(int((np.abs(off) > 0.2).sum()), len(off))}; within 2 stated errors: "
        f"{share(int((np.abs(pull) < 2).sum()), len(pull))}"
    )


def on_simulations(arguments: argparse.Namespace) -> None:
    """θ_E and verdicts by θ_E and by S/N of the arcs."""
    told = test_all(simulated(arguments.survey, "lenses", arguments.n), arguments.processes)
    print(f"{arguments.survey}, {len(told)} simulated lenses: {verdicts(told)}")
    supported = [one for one in told if one.verdict == "supports"]
    print(f"all: {radii(told)}\nsupported: {radii(supported)}")
    for name, edges, value in (
        ("θ_E", RADIUS_EDGES, lambda one: one.true_theta_e),
        ("arc S/N", SNR_EDGES, lambda one: one.arc_snr),
    ):
        for low, high in pairwise(edges):
            chosen = [one for one in told if low <= value(one) < high]
            good = [one for one in chosen if one.verdict == "supports"]
            print(
                f"{name} {low:g} to {high:g}: supports {share(len(good), len(chosen))}; "
                f"of these {radii(good)}"
            )
    timing(told)


def on_contaminants(arguments: argparse.Namespace) -> None:
    """How many non-lenses are said to be lenses, by class."""
    told = test_all(simulated(arguments.survey, "contaminants", arguments.n), arguments.processes)
    print(f"{arguments.survey}, {len(told)} simulated non-lenses: {verdicts(told)}")
    for name in sorted({one.name for one in told}):
        of_class = [one for one in told if one.name == name]
        supported = sum(one.verdict == "supports" for one in of_class)
        print(f"{name}: supports {share(supported, len(of_class))}")
    timing(told)


def timing(told: list[Told]) -> None:
    """Quantiles of seconds."""
    for name, values in (
        ("by the clock", [one.seconds for one in told]),
        ("of processor time", [one.processor_s for one in told]),
    ):
        p50, p95 = np.quantile(values, [0.5, 0.95])
        print(f"seconds {name}: p50 {p50:.1f}, p95 {p95:.1f} (n = {len(values)}, one thread each)")


def read(path: Path) -> Array:
    """The first image of a FITS file."""
    with fits.open(path) as file:
        return np.asarray(next(hdu.data for hdu in file if hdu.data is not None), dtype=np.float32)


def _one_band(name: str, folder: Path, scale: float, theta_e: float) -> Case:
    """A data set of PyAutoLens: data, noise map and PSF of one band."""
    data = read(folder / "data.fits")
    geometry = CutoutGeometry(name, ("data",), len(data), scale, "flux", (25.0,), (2 * scale,))
    variance = read(folder / "noise_map.fits")[None] ** 2
    return Case(name, data[None], geometry, variance, read(folder / "psf.fits")[None], theta_e)


def _euclid(path: Path, bands: tuple[str, ...]) -> Case:
    """Bands of a Euclid Q1 file, on the grid of VIS."""
    with fits.open(path) as file:
        names = {
            hdu.name: np.asarray(hdu.data, dtype=np.float32) for hdu in file if hdu.data is not None
        }
    data = [names[f"{b}_BGSUB" if f"{b}_BGSUB" in names else f"{b}_FLUX"] for b in bands]
    side = max(len(names[f"{b}_PSF"]) for b in bands)
    psf = [np.pad(names[f"{b}_PSF"], (side - len(names[f"{b}_PSF"])) // 2) for b in bands]
    n = len(data[0])
    geometry = CutoutGeometry(
        "euclid", bands, n, 0.1, "flux", (25.0,) * len(bands), (0.2,) * len(bands)
    )
    variance = np.stack([names[f"{b}_RMS"] for b in bands]) ** 2
    return Case(
        f"{path.stem[:24]} {'+'.join(bands)}", np.stack(data), geometry, variance, np.stack(psf)
    )


def known_lenses(data: Path) -> Iterator[Case]:
    """Lenses of space telescopes, some with a known Einstein radius."""
    hst = data / "hst_jwst_pyautolens/dataset/imaging"
    yield _one_band("J0946+1006 HST", hst / "slacs0946+1006", 0.05, 1.43)
    for band, scale in (("F115W", 0.03), ("F150W", 0.03), ("F277W", 0.06), ("F444W", 0.06)):
        folder = hst / "cosmos_web_ring/wavebands" / band
        yield _one_band(f"COSMOS-Web ring {band}", folder, scale, 0.77)
    for path in sorted((data / "euclid_q1_galaxy").rglob("*.fits")):
        if path.name != "mask_extra_galaxies.fits":
            yield _euclid(path, ("VIS",))
            yield _euclid(path, ("VIS", "NIR_Y", "NIR_J", "NIR_H"))


def sled_lenses(data: Path) -> Iterator[Case]:
    """Confirmed galaxy-galaxy lenses in Pan-STARRS1, gri; half the image separation as θ_E."""
    survey = get_survey("ps1")
    bands = [b for b in survey.bands if b.name in BANDS["ps1"]]
    with (data / "sled_ps1/lensed_galaxies.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        folder = data / "sled_ps1/lensed_galaxies" / row["folder"]
        paths = [folder / f"{row['folder']}_{b.name}.fits" for b in bands]
        if not all(path.is_file() for path in paths):
            print(f"{row['name']}: not all of gri are there; left out")
            continue
        images = np.stack([read(path) for path in paths])
        geometry = CutoutGeometry(
            "ps1", BANDS["ps1"], images.shape[-1], 0.25, "flux", (25.0,) * 3,
            tuple(b.psf_fwhm_arcsec for b in bands),
        )  # fmt: skip
        separation = float(row["image_sep_arcsec"] or "nan")
        yield Case(row["name"], images, geometry, theta_e=separation / 2)


def real_others(data: Path, most: int) -> Iterator[Case]:
    """Real objects of which hardly any is a lens: in Pan-STARRS1, and red galaxies of DES."""
    survey = get_survey("ps1")
    with np.load(data / "ps1_real_sky/objects_grizy_48.npz") as file:
        stack = np.asarray(file["flux"], dtype=np.float32)
    names = tuple("grizy")
    widths = {b.name: b.psf_fwhm_arcsec for b in survey.bands}
    geometry = CutoutGeometry(
        "ps1", names, stack.shape[-1], 0.25, "flux", (25.0,) * 5, tuple(widths[b] for b in names)
    )
    for image in stack[:most]:
        yield Case("Pan-STARRS1 object", image, geometry)
    des = get_survey("des")
    widths = {b.name: b.psf_fwhm_arcsec for b in des.bands}
    bands = ("g", "r", "i", "z")
    images = np.stack([read(data / f"des_lrgs/{band}.fits") for band in bands], axis=1)
    geometry = CutoutGeometry(
        "des", bands, images.shape[-1], 0.263, "flux", (30.0,) * 4, tuple(widths[b] for b in bands)
    )
    for image in images[:most]:
        yield Case("DES red galaxy", image, geometry)


def on_known(arguments: argparse.Namespace) -> None:
    """Lenses of space telescopes, one by one."""
    for one in test_all(known_lenses(arguments.data), arguments.processes):
        known = "" if math.isnan(one.true_theta_e) else f" (known {one.true_theta_e:.2f}″)"
        print(
            f"{one.name}: θ_E = {one.theta_e:.3f} ± {one.error:.3f}″{known}; {one.sentence} "
            f"χ² {one.reduced_chi2:.2f}; {one.processor_s:.1f} s"
        )


def on_others(arguments: argparse.Namespace) -> None:
    """Rates on confirmed lenses in Pan-STARRS1 and on real objects of which hardly any is one."""
    told = test_all(sled_lenses(arguments.data), arguments.processes)
    print(f"confirmed lenses in Pan-STARRS1: {verdicts(told)}")
    told = test_all(real_others(arguments.data, arguments.n), arguments.processes)
    for name in sorted({one.name for one in told}):
        print(f"{name}: {verdicts([one for one in told if one.name == name])}")


def on_time(arguments: argparse.Namespace) -> None:
    """Seconds of one test at a time, by all threads that torch takes here."""
    seconds = []
    for k, case in enumerate(simulated(arguments.survey, "time", arguments.n + 1)):
        began = time.perf_counter()
        run_lens_test(case.cutout, case.geometry, variance=case.variance)
        if k:  # the first one starts libraries
            seconds.append(time.perf_counter() - began)
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    print(
        f"one test of 3 x 64 x 64 at a time, {torch.get_num_threads()} threads: p50 {p50:.1f} s, "
        f"p95 {p95:.1f} s (5 wanted), n = {len(seconds)}"
    )


def on_lenstronomy(arguments: argparse.Namespace) -> None:
    """The same cutouts by lenstronomy's particle swarm, processor time of one thread."""
    torch.set_num_threads(1)
    ours, theirs = [], []
    for case in simulated(arguments.survey, "time", arguments.n):
        told = test_case(case)
        used = time.process_time()
        theta_e, error = with_lenstronomy(case, arguments.particles, arguments.steps)
        spent = time.process_time() - used
        ours.append(told.processor_s)
        theirs.append(spent)
        print(
            f"truth {case.theta_e:.2f}″: {told.verdict}, {told.theta_e:.3f} ± {told.error:.3f}″ in "
            f"{told.processor_s:.1f} s; "
            f"lenstronomy {theta_e:.3f}″ (scatter of the swarm {error:.3f}) in {spent:.0f} s",
            flush=True,
        )
    print(f"processor time, lenstronomy over ours: {np.sum(theirs) / np.sum(ours):.0f}")


def with_lenstronomy(case: Case, particles: int, steps: int) -> tuple[float, float]:
    """θ_E by a particle swarm over an SIE with shear, a source and a galaxy in all bands."""
    from lenstronomy.Workflow.fitting_sequence import FittingSequence

    n = case.cutout.shape[-1]
    scale = case.geometry.pixel_scale_arcsec
    half = (n - 1) / 2 * scale
    bands = []
    for k, fwhm in enumerate(case.geometry.psf_fwhm_arcsec):
        data = {
            "image_data": case.cutout[k].astype(float),
            "noise_map": np.sqrt(case.variance[k]).astype(float),
            "ra_at_xy_0": -half, "dec_at_xy_0": -half,
            "transform_pix2angle": np.eye(2) * scale,
        }  # fmt: skip
        psf = {"psf_type": "GAUSSIAN", "fwhm": fwhm, "pixel_size": scale}
        bands.append([data, psf, {"supersampling_factor": 1}])
    count = len(bands)
    model = {
        "lens_model_list": ["SIE", "SHEAR"],
        "source_light_model_list": ["SERSIC_ELLIPSE"] * count,
        "lens_light_model_list": ["SERSIC_ELLIPSE"] * count,
        "index_lens_light_model_list": [[k] for k in range(count)],
        "index_source_light_model_list": [[k] for k in range(count)],
    }
    joint = {
        "joint_source_with_source": [
            [0, k, ["center_x", "center_y", "e1", "e2", "R_sersic", "n_sersic"]]
            for k in range(1, count)
        ],
        "joint_lens_light_with_lens_light": [
            [0, k, ["center_x", "center_y", "e1", "e2"]] for k in range(1, count)
        ],
    }
    shape = {"e1": 0.0, "e2": 0.0, "center_x": 0.0, "center_y": 0.0}
    low, high = (
        {"e1": s * 0.4, "e2": s * 0.4, "center_x": s * 1.0, "center_y": s * 1.0} for s in (-1, 1)
    )
    spread = {"e1": 0.1, "e2": 0.1, "center_x": 0.1, "center_y": 0.1}
    sersic = {"R_sersic": 0.8, "n_sersic": 2.5}
    sersic_low, sersic_high = (
        {"R_sersic": 0.05, "n_sersic": 0.5},
        {"R_sersic": 5.0, "n_sersic": 6.0},
    )
    sersic_spread = {"R_sersic": 0.4, "n_sersic": 1.0}

    def light(radius: float, index: float) -> list[list[dict[str, float]]]:
        begin = {**shape, **sersic, "R_sersic": radius, "n_sersic": index}
        return [
            [dict(begin) for _ in range(count)],
            [{**spread, **sersic_spread} for _ in range(count)],
            [{} for _ in range(count)],
            [{**low, **sersic_low} for _ in range(count)],
            [{**high, **sersic_high} for _ in range(count)],
        ]

    lens = [
        [{**shape, "theta_E": 1.2}, {"gamma1": 0.0, "gamma2": 0.0}],
        [{**spread, "theta_E": 0.5}, {"gamma1": 0.05, "gamma2": 0.05}],
        [{}, {"ra_0": 0, "dec_0": 0}],
        [{**low, "theta_E": 0.2}, {"gamma1": -0.25, "gamma2": -0.25}],
        [{**high, "theta_E": 3.5}, {"gamma1": 0.25, "gamma2": 0.25}],
    ]
    params = {
        "lens_model": lens,
        "source_model": light(0.2, 1.0),
        "lens_light_model": light(0.8, 2.5),
    }
    sequence = FittingSequence(
        {"multi_band_list": bands, "multi_band_type": "multi-linear"},
        model, joint, {"check_bounds": True}, params,
    )  # fmt: skip
    steps_ = [["PSO", {"sigma_scale": 1.0, "n_particles": particles, "n_iterations": steps}]]
    chain = sequence.fit_sequence(steps_)
    best = sequence.best_fit()["kwargs_lens"][0]["theta_E"]
    tail = np.array([row[0] for row in chain[0][1][1][-20:]])
    return float(best), float(np.std(tail))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parts = {
        "simulations": on_simulations, "contaminants": on_contaminants,
        "known": on_known, "others": on_others,
        "time": on_time, "lenstronomy": on_lenstronomy,
    }  # fmt: skip
    parser.add_argument("data", nargs="?", type=Path, help="folder of real data")
    parser.add_argument("--what", choices=list(parts), required=True)
    parser.add_argument("--survey", choices=list(BANDS), default="hsc")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--particles", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.what in ("known", "others") and arguments.data is None:
        parser.error(f"--what {arguments.what} needs the folder of real data")
    parts[arguments.what](arguments)


if __name__ == "__main__":
    main()
