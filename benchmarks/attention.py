"""Do maps of attention lie on the arcs? And how long do look-alikes take?

    python benchmarks/attention.py --what maps --n 150
    python benchmarks/attention.py --what neighbours

Maps: arcs are painted into simulated galaxies without any (their own light is known exactly: the
painted image less the plain one), and the network of the default ensemble for HSC explains both.
Printed are, with 68 % intervals from the bootstrap over objects: the share of maps whose strongest
place lies within half a cell of the arc, the share of strength there over the share of area (the
lift), and the same for the galaxy's own light in the map's place, which looks at nothing.

Neighbours: the nearest of 100,000 labeled embeddings of 384 dimensions, against scikit-learn's
brute force, by processor time (run it with OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from sklearn.neighbors import NearestNeighbors

from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.attention import member_attention
from lensing_core.models.files import read_member
from lensing_core.neighbours import LabeledEmbeddings
from lensing_core.simulation import SurveySimulator
from lensing_core.simulation.injection import Injector
from lensing_core.surveys import get_survey
from training.shipped import SHIPPED

SIZE, BANDS = 64, ("g", "r", "i")
FULL = 0.3  # of its brightest pixel: where the arc is


def interval(values: np.ndarray) -> str:
    """Mean with the 68 % interval of the bootstrap."""
    rng = np.random.default_rng(0)
    draws = rng.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(draws, (0.16, 0.84))
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def figures(strength: np.ndarray, arc: np.ndarray, cell_px: float) -> tuple[float, float]:
    """Whether the peak is on the arc, and the lift (0 of an empty map)."""
    near = binary_dilation(arc, iterations=max(1, round(cell_px / 2)))
    peak = np.unravel_index(strength.argmax(), strength.shape)
    total = strength.sum()
    lift = strength[near].sum() / total / near.mean() if total > 0 else 0.0
    return float(near[peak]), float(lift)


def maps(n: int) -> None:
    survey = get_survey("hsc")
    bands = tuple(band for band in survey.bands if band.name in BANDS)
    simulator = SurveySimulator(survey, bands, SIZE, lens_fraction=0.0, seed=11)
    injector = Injector(simulator.frame, bands, seed=12)
    geometry = CutoutGeometry(
        "hsc",
        BANDS,
        SIZE,
        survey.pixel_scale_arcsec,
        "flux",
        tuple(band.zero_point_mag for band in bands),
        tuple(band.psf_fwhm_arcsec for band in bands),
    )
    folder = next(path for path in (SHIPPED / "default-hsc").iterdir() if "resnet" in path.name)
    stored = read_member(folder)
    rows, seconds = [], []
    plain = simulator.batch(0, n).flux
    for k, flux in enumerate(plain):
        painted = injector.paint(k, flux)
        if painted is None:
            continue
        light = np.abs(painted.flux - flux).sum(axis=0)
        arc = light > FULL * light.max()
        began = time.process_time()
        shown = member_attention(stored, painted.flux, geometry, "painted")
        seconds.append(time.process_time() - began)
        before = member_attention(stored, flux, geometry, "plain")
        strength = shown.strength()
        if strength.max() <= 0:
            continue
        galaxy = gaussian_filter(np.maximum(flux.sum(axis=0), 0), shown.cell_px / 2)
        added = np.maximum(shown.values - before.values, 0)
        rows.append(
            (
                *figures(strength, arc, shown.cell_px),
                *figures(galaxy, arc, shown.cell_px),
                *figures(added, arc, shown.cell_px),
                shown.logit - before.logit,
            )
        )
    found = np.array(rows)
    print(f"{len(found)} galaxies with arcs, cells of {shown.cell_px:.0f} px")
    for name, at in (("map", 0), ("galaxy's light", 2), ("map, less that without arcs", 4)):
        peak, lift = interval(found[:, at]), interval(found[:, at + 1])
        print(f"{name:30} peak on the arc {peak}   lift {lift}")
    print(f"logit gained by the arcs {interval(found[:, 6])}")
    print(f"{1e3 * float(np.median(seconds)):.0f} ms of processor time a map (median)")


def neighbours() -> None:
    rng = np.random.default_rng(0)
    n, d = 100_000, 384
    vectors = rng.normal(size=(n, d)).astype("f4")
    labeled = LabeledEmbeddings.of(np.arange(n), rng.random(n) < 0.1, vectors)
    brute = NearestNeighbors(n_neighbors=6, algorithm="brute", metric="cosine").fit(vectors)
    ours, theirs = [], []
    for k in range(7):
        began = time.process_time()
        labeled.nearest(vectors[k], 6, without=k)
        middle = time.process_time()
        brute.kneighbors(vectors[k : k + 1])
        ours.append(middle - began)
        theirs.append(time.process_time() - middle)
    a, b = 1e3 * float(np.median(ours)), 1e3 * float(np.median(theirs))
    print(f"both kinds {a:.0f} ms, scikit-learn {b:.0f} ms, ratio {b / a:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=("maps", "neighbours"), required=True)
    parser.add_argument("--n", type=int, default=150)
    arguments = parser.parse_args()
    if arguments.what == "maps":
        maps(arguments.n)
    else:
        neighbours()
