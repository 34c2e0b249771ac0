"""Do maps of attention lie on the arcs? And how long do look-alikes take?

    OMP_NUM_THREADS=1 python benchmarks/attention.py --what maps [--ensemble default-hsc] --n 60
    OMP_NUM_THREADS=1 python benchmarks/attention.py --what neighbors

Maps: arcs are painted into simulated galaxies without any, whose own light is thereby known (the
painted image less the plain one), and each network of a shipped ensemble explains them by each of
its methods. Printed are, with 68 % intervals from the bootstrap over objects

- on: the share of maps whose strongest place lies within 2 px of the arc (pixels brighter than 0.3
  of the arc's brightest),
- off: the same for the arcs that leave the middle of the cutout free, so that a map of the
  galaxy's middle does not count,
- lift: the share of strength there over the share of area,
- kept: the correlation of the map with that of the same arc on another galaxy,
- follows, stays: the correlation of the map after the arc was turned by 90° around an unturned
  galaxy with the map before, turned likewise and not turned. A map of the arc alone has 1 and
  little; one of the galaxy alone has less at follows and 1 at stays,
- ms: of processor time, the median.

One map that looks at nothing stands beside them: all light of the image, in asinh of its noise.

Neighbors: the nearest of 100,000 labeled embeddings of 384 dimensions, against scikit-learn's
brute force, by processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from sklearn.neighbors import NearestNeighbors

from lens_triage.training.bundled import BUNDLED
from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.attention import Method, member_attention, member_methods
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import StoredMember, read_member
from lensing_core.neighbors import LabeledEmbeddings
from lensing_core.simulation import SurveySimulator
from lensing_core.simulation.injection import Injector
from lensing_core.simulation.visibility import pixel_noise
from lensing_core.surveys import get_survey

BANDS = ("g", "r", "i")
FULL = 0.3  # of its brightest pixel: where the arc is
NEAR_PX = 2
SEED = 11  # the methods were chosen on other objects
SMOOTHED_PX = 1.5  # of the controls

Explain = Callable[[Float32Array], Float32Array]


@dataclass(frozen=True)
class Scene:
    """A galaxy and an arc to be painted into it, each (band, y, x)."""

    galaxy: Float32Array
    arc: Float32Array

    def turned(self) -> Scene:
        """The arc by 90° around the galaxy as it was."""
        return Scene(self.galaxy, np.rot90(self.arc, 1, (1, 2)))

    @property
    def painted(self) -> Float32Array:
        return (self.galaxy + self.arc).astype(np.float32)

    @property
    def near(self) -> BoolArray:
        """On the arc or within 2 px of it, (y, x)."""
        light = np.abs(self.arc).sum(axis=0)
        return binary_dilation(light > FULL * light.max(), iterations=NEAR_PX)

    @property
    def leaves_middle_free(self) -> bool:
        near = self.near
        middle = slice(len(near) // 2 - 1, len(near) // 2 + 1)
        return not near[middle, middle].any()


def scenes(survey_name: str, size: int, n: int) -> tuple[CutoutGeometry, list[Scene]]:
    """Of ``n`` simulated galaxies, those that have data everywhere and an arc."""
    survey = get_survey(survey_name)
    bands = tuple(band for band in survey.bands if band.name in BANDS)
    simulator = SurveySimulator(survey, bands, size, lens_fraction=0.0, seed=SEED)
    injector = Injector(simulator.frame, bands, seed=SEED + 1)
    geometry = CutoutGeometry(
        survey_name,
        BANDS,
        size,
        survey.pixel_scale_arcsec,
        "flux",
        tuple(band.zero_point_mag for band in bands),
        tuple(band.psf_fwhm_arcsec for band in bands),
    )
    found = []
    for k, flux in enumerate(simulator.batch(0, n).flux):
        painted = injector.paint(k, flux) if np.isfinite(flux).all() else None
        if painted is not None:
            found.append(Scene(flux, painted.flux - flux))
    return geometry, found


def interval(values: Float64Array) -> str:
    """Mean with the 68 % interval of the bootstrap; nothing of no values."""
    if not len(values):
        return f"{'–':17}"
    rng = np.random.default_rng(0)
    draws = rng.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(draws, (0.16, 0.84))
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def alike(a: Float32Array, b: Float32Array) -> float:
    """Correlation of two maps; 0 of an empty one."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if a.std() and b.std() else 0.0


def row(name: str, explain: Explain, objects: list[Scene]) -> None:
    """Metrics of one kind of map."""
    found, free, seconds = [], [], []
    for k, scene in enumerate(objects):
        began = time.process_time()
        shown = explain(scene.painted)
        seconds.append(time.process_time() - began)
        other = explain(Scene(objects[k - 1].galaxy, scene.arc).painted)
        turned = explain(scene.dihedral_averaging().painted)
        near, total = scene.near, float(shown.sum())
        on = near[np.unravel_index(shown.argmax(), shown.shape)] and total > 0
        lift = shown[near].sum() / total / near.mean() if total > 0 else 0.0
        follows, stays = alike(np.rot90(shown), turned), alike(shown, turned)
        found.append((float(on), lift, alike(shown, other), follows, stays))
        free.append(scene.leaves_middle_free)
    on, *rest = np.array(found, dtype=float).T
    metrics = " ".join(interval(v) for v in (on, on[np.array(free)], *rest))
    print(f"{name:34} {metrics} {1e3 * float(np.median(seconds)):4.0f}", flush=True)


def maps(ensemble: str, n: int) -> None:
    """Print a table for the networks of a shipped ensemble."""
    members = [
        read_member(path) for path in sorted((BUNDLED / ensemble).iterdir()) if path.is_dir()
    ]
    networks = [stored for stored in members if isinstance(stored.member, DeepMember)]
    contract = networks[0].member.contract
    if contract.pixel_kind != "flux":
        raise SystemExit(f"{ensemble} scores pictures; arcs are painted into flux only.")
    geometry, objects = scenes(ensemble.removeprefix("default-"), contract.size_px, n)
    heads = ("on", "off", "lift", "kept", "follows", "stays")
    print(
        f"{len(objects)} galaxies with arcs; {sum(s.leaves_middle_free for s in objects)} arcs "
        "leave the middle free"
    )
    print(f"{'':34} {' '.join(f'{head:17}' for head in heads)}   ms")

    def light(image: Float32Array) -> Float32Array:
        faint = np.arcsinh(image / pixel_noise(image)[:, None, None])
        return np.maximum(gaussian_filter(faint.sum(axis=0), SMOOTHED_PX), 0)

    row("all light", light, objects)
    for stored in networks:
        gained = [
            member_attention(stored, s.painted, geometry, "painted").logit
            - member_attention(stored, s.galaxy, geometry, "plain").logit
            for s in objects
        ]
        print(f"{stored.id}: logit gained by the arcs {interval(np.array(gained))}")
        for method in member_methods(stored):

            def strength(
                image: Float32Array, stored: StoredMember = stored, method: Method = method
            ) -> Float32Array:
                return member_attention(stored, image, geometry, "", method=method).strength()

            row(f"  {method}", strength, objects)


def neighbors() -> None:
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
    parser.add_argument("--what", choices=("maps", "neighbors"), required=True)
    parser.add_argument("--ensemble", default="default-hsc")
    parser.add_argument("--n", type=int, default=150)
    arguments = parser.parse_args()
    if arguments.what == "maps":
        maps(arguments.ensemble, arguments.n)
    else:
        neighbors()
