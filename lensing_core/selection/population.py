"""Lenses that a survey holds, by θ_E and S/N, and how many of them a search finds.

:func:`early_type_lenses` is a simple model after Collett 2015 (ApJ 811, 20): early-type galaxies
as singular isothermal spheres, with the velocity dispersions of Choi, Park & Vogeley 2007 (ApJ 658,
884), of constant comoving density, before sources at the redshifts of faint galaxies. A table of
one's own replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import Table
from scipy.stats import norm

from lensing_core.arrays import Float64Array
from lensing_core.errors import BadInputError
from lensing_core.physics import cosmology
from lensing_core.selection.function import SelectionFunction

COUNT_SLOPE = 0.35
"""Of the magnitudes of sources, N(<m) ∝ 10^(slope m); N(>S/N) falls as its power of −2.5 slope."""
SOURCE_OF_MODEL = (
    "early-type galaxies as isothermal spheres (Collett 2015), velocity dispersions of Choi et al. "
    "2007"
)
_COLUMNS = ("theta_e_arcsec", "arc_snr")
_DRAWS = 20_000


@dataclass(frozen=True)
class Population:
    """Lenses of a survey as a weighted sample.

    Attributes
    ----------
    theta_e_arcsec, arc_snr, number : ndarray of shape (m,)
        ``number`` of lenses that each stands for.
    source : str
        Where it comes from, for people.
    """

    theta_e_arcsec: Float64Array
    arc_snr: Float64Array
    number: Float64Array
    source: str

    @property
    def total(self) -> float:
        """Lenses in all."""
        return float(self.number.sum())


def early_type_lenses(
    total: float, *, min_arc_snr: float = 20.0, seed: int = 0, draws: int = _DRAWS
) -> Population:
    """``total`` lenses whose arcs have an S/N of ``min_arc_snr`` or more.

    θ_E follows from velocity dispersions weighted by the cross section, σ⁴ (D_ls/D_s)². The S/N is
    taken to be independent of θ_E, N(>S/N) ∝ (S/N)^(−2.5 · 0.35), from the counts of faint
    galaxies: their magnification and sizes are left out.

    Raises
    ------
    BadInputError
        If there are no lenses, or the S/N is not above 0.
    """
    if not (np.isfinite(total) and total > 0 and min_arc_snr > 0):
        raise BadInputError(
            f"Population of {total:g} lenses from S/N {min_arc_snr:g}: both must be above 0."
        )
    from lensing_core.simulation.galaxies import generator, lens_populations

    rng = generator(seed, 0, stream=7)
    sigma_v, z_lens = lens_populations(rng, draws)
    z_source = 0.9 * rng.gamma(2.0, size=draws) ** (1 / 1.5)
    ratio = cosmology.distance_ratio(z_lens, z_source)
    theta_e = cosmology.sis_einstein_radius_arcsec(sigma_v, z_lens, z_source)
    snr = min_arc_snr * rng.random(draws) ** (-1 / (2.5 * COUNT_SLOPE))
    seen = theta_e > 0
    weight = ratio[seen] ** 2
    return Population(
        np.asarray(theta_e[seen]),
        np.asarray(snr[seen]),
        np.asarray(total * weight / weight.sum()),
        f"{total:,.0f} lenses from an arc S/N of {min_arc_snr:g}: {SOURCE_OF_MODEL}",
    )


def read_population(path: Path) -> Population:
    """A population from a table of any format that astropy reads.

    Columns ``theta_e_arcsec`` and ``arc_snr``; ``number``, where there is one, is how many lenses
    each row stands for, else one.

    Raises
    ------
    BadInputError
        If the file cannot be read, lacks a column, or holds numbers that are not above 0.
    """
    try:
        table = Table.read(path)
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(f"Population {path} cannot be read as a table: {error}") from error
    missing = [name for name in _COLUMNS if name not in table.colnames]
    if missing or not len(table):
        what = f"has no column {', '.join(missing)}" if missing else "has no rows"
        raise BadInputError(f"Population {path} {what}; give theta_e_arcsec and arc_snr.")
    values = []
    for name in (*_COLUMNS, "number"):
        if name not in table.colnames:
            values.append(np.ones(len(table)))
            continue
        try:
            column = np.ma.filled(np.ma.asarray(table[name], dtype=np.float64), np.nan)
        except (TypeError, ValueError) as error:
            raise BadInputError(f"Population {path}: column {name} holds no numbers.") from error
        if not (np.isfinite(column) & (column > 0)).all():
            raise BadInputError(f"Population {path}: column {name} has values not above 0.")
        values.append(column)
    theta_e, snr, number = values
    return Population(theta_e, snr, number, f"{float(number.sum()):,.0f} lenses of {path.name}")


@dataclass(frozen=True)
class ExpectedLenses:
    """Lenses that a search finds of a population.

    Attributes
    ----------
    total : float
        Of the population.
    covered : float
        In the range of θ_E and S/N that lenses were injected in.
    found, low, high : float
        Expected among the covered, with the 95 % interval of what one search finds: the doubt of
        the completeness and the chance of finding some and not others.
    completeness, completeness_low, completeness_high : float
        Mean of the covered lenses.
    """

    total: float
    covered: float
    found: float
    low: float
    high: float
    completeness: float
    completeness_low: float
    completeness_high: float

    @property
    def missed(self) -> float:
        """Return the covered lenses that are not found."""
        return self.covered - self.found


def expected_found(function: SelectionFunction, population: Population) -> ExpectedLenses:
    """Expected number of lenses of a population that a search finds.

    Raises
    ------
    BadInputError
        If no lens lies where any were injected.
    """
    inside = function.covers(population.theta_e_arcsec, population.arc_snr)
    covered = float(population.number[inside].sum())
    if not covered > 0:
        (t0, t1), (s0, s1) = function.domain
        raise BadInputError(
            f"No lens of the population has θ_E between {t0:.2f} and {t1:.2f} arcsec and an S/N "
            f"between {s0:.0f} and {s1:.0f}, where completeness is known."
        )
    mean = function.mean(population.theta_e_arcsec, population.arc_snr, population.number)
    found = covered * float(mean.value)
    # Counts of found lenses are Poisson to first order; the doubt of C is common to all of them.
    half = norm.ppf(0.975) * float(np.hypot(covered * mean.error, np.sqrt(found)))
    return ExpectedLenses(
        population.total,
        covered,
        found,
        max(0.0, found - half),
        min(found + half, covered) if covered > found else found,
        *(float(getattr(mean, name)) for name in ("value", "low", "high")),
    )
