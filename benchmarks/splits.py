"""Pairs of duplicates that splits part: by sky blocks alone, and by blocks joined by duplicates.

    python benchmarks/splits.py DATA

Two sets: 100,000 simulated positions over 400 square degrees, each observed a second time
1 arcsec away (as in two catalogs of one sky); and the graded CFHTLS candidates of
``spacewarps_cfhtls`` in DATA. Printed are pairs within 2 arcsec, how many of them stand on two
sides of the split of training (means over 20 seeds) and of five folds, and the number of groups.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from astropy_healpix import HEALPix

from lens_triage.training.jobs.train.data import SPLITS
from lensing_core.datasets.groups import DUPLICATE_RADIUS_ARCSEC, named_by_block, object_groups
from lensing_core.datasets.splits import fold_of_groups, split_groups

SEEDS = 20
FOLDS = 5


def simulated() -> SkyCoord:
    """Positions over 20 by 20 degrees, each observed twice."""
    rng = np.random.default_rng(0)
    n = again = 100_000
    sine = rng.uniform(np.sin(np.radians(-10)), np.sin(np.radians(10)), n)
    first = SkyCoord(rng.uniform(150, 170, n) * u.deg, np.degrees(np.arcsin(sine)) * u.deg)
    second = first[:again].directional_offset_by(rng.uniform(0, 360, again) * u.deg, 1 * u.arcsec)
    return SkyCoord(
        np.concatenate([first.ra.deg, second.ra.deg]) * u.deg,
        np.concatenate([first.dec.deg, second.dec.deg]) * u.deg,
    )


def graded(data: Path) -> SkyCoord:
    """The graded CFHTLS candidates."""
    path = data / "spacewarps_cfhtls" / "candidates.txt"
    ra_deg, dec_deg = np.loadtxt(path, usecols=(1, 2), unpack=True)
    return SkyCoord(ra_deg * u.deg, dec_deg * u.deg)


def report(name: str, sky: SkyCoord) -> None:
    """Print what both ways of grouping part."""
    ra, dec = sky.ra.deg, sky.dec.deg
    one, other, _, _ = search_around_sky(sky, sky, DUPLICATE_RADIUS_ARCSEC * u.arcsec)
    one, other = one[one < other], other[one < other]
    blocks = np.asarray(HEALPix(64, order="nested").lonlat_to_healpix(sky.ra, sky.dec))
    began = time.perf_counter()
    joined = named_by_block(object_groups(len(sky), ra_deg=ra, dec_deg=dec), ra, dec)
    seconds = time.perf_counter() - began
    print(f"{name}: {len(sky):,} objects, {len(one):,} pairs within 2 arcsec; {seconds:.2f} s")
    for how, groups in (("blocks alone", blocks), ("joined by duplicates", joined)):
        split, fold = [], []
        for seed in range(SEEDS):
            side = np.empty(len(sky), dtype=int)
            for k, indices in enumerate(split_groups(groups, SPLITS, seed=seed).values()):
                side[indices] = k
            split.append(int((side[one] != side[other]).sum()))
            side = fold_of_groups(groups, FOLDS, seed=seed)
            fold.append(int((side[one] != side[other]).sum()))
        print(
            f"  {how}: {len(np.unique(groups)):,} groups; pairs in two groups "
            f"{int((groups[one] != groups[other]).sum())}; parted by the split of training "
            f"{np.mean(split):.1f}, by {FOLDS} folds {np.mean(fold):.1f}"
        )


def main() -> None:
    """Both sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    report("simulated positions", simulated())
    report("graded CFHTLS candidates", graded(data))


if __name__ == "__main__":
    main()
