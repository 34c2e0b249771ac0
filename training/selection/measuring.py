"""Measuring a selection function from injected lenses, scores, lens tests and grades."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from lens_triage.training.selection.graders import TEAM, GradedGold, graded_gold
from lens_triage.training.settings import SelectionSettings
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.lens_test.settings import VERSION, LensTestSettings
from lensing_core.proportions import Proportion
from lensing_core.selection import (
    Injections,
    Population,
    SelectionMap,
    early_type_lenses,
    expected_found,
    of_chain,
    of_step,
    purity,
    read_population,
)
from lensing_core.selection.chain import FEWEST
from lensing_core.selection.injections import NOT_ASKED
from lensing_core.selection.population import ExpectedLenses
from lensing_core.selection.purity import Purity
from lensing_core.store import Session, open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.hosts import painted_hosts
from lensing_core.store.lens_tests import LensTestKey, verdicts_of
from lensing_core.store.observations import fetch_truth
from lensing_core.store.scores import logits_of, read_logits, read_scores
from lensing_core.workspace import Workspace

MACHINE, LENS_TEST, COMBINED = "machine", "lens test", "combined"
SUPPORTS = "supports"
LENS_TEST_SETTINGS = LensTestSettings()


@dataclass(frozen=True)
class MeasuredSelection:
    """The selection function of a search, as far as it is known.

    Attributes
    ----------
    settings : SelectionSettings
    cut : str
        Where the machine's list ends, in words.
    maps : mapping of str to SelectionMap
        Of :data:`MACHINE`, graders, the team, the :data:`LENS_TEST` and :data:`COMBINED`.
    steps : tuple of str
        What is combined, in order.
    population : Population
    expected : ExpectedLenses or None
        Of the combined search; None where no lens of the population lies in the injected range.
    purity : mapping of str to Purity
        By map, where the false-positive rates of all its steps are known.
    notes : tuple of str
        What a reader must know.
    """

    settings: SelectionSettings
    cut: str
    maps: Mapping[str, SelectionMap]
    steps: tuple[str, ...]
    population: Population
    expected: ExpectedLenses | None
    purity: Mapping[str, Purity]
    notes: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """Plain JSON for the result of a run."""
        return {
            "steps": list(self.steps),
            "cut": self.cut,
            "population": self.population.source,
            "expected": None if self.expected is None else asdict(self.expected),
            "purity": {name: asdict(found) for name, found in self.purity.items()},
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class _Cut:
    """The lowest logit that is found, and the catalog's objects that reach it."""

    logit: float
    sentence: str
    passed: Proportion


def measure_selection(workspace: Workspace, settings: SelectionSettings) -> MeasuredSelection:
    """Measure from what stands in the workspace: injected lenses must be scored.

    Raises
    ------
    NotFoundError
        If there is no such catalog or ensemble.
    BadInputError
        If too few lenses are injected or scored.
    """
    with open_database(workspace).session() as session:
        n_candidates = find_catalog(session, settings.catalog).n_candidates
        cut = _cut(session, settings)
        ids, logits = _scored(session, settings)
        truth = fetch_truth(session, ids, ("theta_e_arcsec", "arc_snr")).astype(np.float64)
        tests = verdicts_of(session, ids, LensTestKey(LENS_TEST_SETTINGS.key, VERSION))
        gold = graded_gold(session, ids)
        plain = _without_arcs(session, settings, cut)
    injections = Injections(
        truth[:, 0], truth[:, 1], _outcomes(settings, ids, logits, cut, tests, gold)
    )
    grid = settings.grid()
    notes = {"catalog": settings.catalog, "ensemble": settings.ensemble, "cut": cut.sentence}
    known = [name for name in injections.outcomes if injections.asked_of(name).sum() >= FEWEST]
    steps = tuple(name for name in (MACHINE, TEAM, LENS_TEST) if name in known)
    maps = {}
    for name in known:
        after = steps[: steps.index(name)] if name == LENS_TEST else ()
        maps[name] = of_step(injections, name, grid, after=after, notes=notes)
    try:
        maps[COMBINED] = of_chain(injections, steps, grid, name=COMBINED, notes=notes)
    except BadInputError:  # too few pass one step to tell of the next
        steps = steps[:1]
        maps[COMBINED] = of_chain(injections, steps, grid, name=COMBINED, notes=notes)
    population = _population(settings, n_candidates)
    false_positives = {MACHINE: cut.passed, TEAM: gold.team_false}
    expected, outside = _expected(maps[COMBINED], population)
    return MeasuredSelection(
        settings,
        cut.sentence,
        maps,
        steps,
        population,
        expected,
        _purities(maps, steps, false_positives, population, float(settings.survey_prior)),
        (*_notes(maps, steps, injections), *outside, plain),
    )


def passed_the_cut(session: Session, settings: SelectionSettings) -> list[int]:
    """Ids of the injected lenses that the machine finds, in ascending order."""
    ids, logits = _scored(session, settings)
    return [int(key) for key in ids[logits >= _cut(session, settings).logit]]


def _scored(session: Session, settings: SelectionSettings) -> tuple[IntArray, Float64Array]:
    """Ids and logits of the injected lenses."""
    injected = find_catalog(session, settings.injected)
    ensemble = find_ensemble(session, settings.ensemble)
    return read_scores(session, injected.id, ensemble.id)


def _cut(session: Session, settings: SelectionSettings) -> _Cut:
    catalog = find_catalog(session, settings.catalog)
    ensemble = find_ensemble(session, settings.ensemble)
    logits = read_logits(session, catalog.id, ensemble.id)
    if not len(logits):
        raise BadInputError(
            f"Ensemble {ensemble.name} has not scored catalog {catalog.name}; score it first."
        )
    if settings.min_probability is not None:
        least = float(logit(settings.min_probability))
        sentence = f"probability of {settings.min_probability:g} or more"
    else:
        top = min(int(settings.top), len(logits))
        least = float(np.partition(logits, -top)[-top])
        sentence = f"first {top:,} of {len(logits):,} (probability {expit(least):.3g} or more)"
    passed = int((logits >= least).sum())
    return _Cut(least, sentence, Proportion(passed, len(logits)))


def _without_arcs(session: Session, settings: SelectionSettings, cut: _Cut) -> str:
    """Sentence on the number of hosts that pass the cut without arcs."""
    catalog = find_catalog(session, settings.catalog)
    injected = find_catalog(session, settings.injected)
    hosts = painted_hosts(session, catalog.id, [injected.id])
    ensemble = find_ensemble(session, settings.ensemble)
    share = Proportion(int((logits_of(session, ensemble.id, hosts) >= cut.logit).sum()), len(hosts))
    low, high = share.interval
    return (
        f"Without arcs {share.found:,} of these {share.total:,} galaxies pass the cut "
        f"({share.value:.2f} [{low:.2f}, {high:.2f}]): completeness does not fall much below "
        "this, and this part of it is not due to the arcs."
    )


def _outcomes(
    settings: SelectionSettings,
    ids: IntArray,
    logits: Float64Array,
    cut: _Cut,
    tests: Mapping[int, str],
    gold: GradedGold,
) -> dict[str, IntArray]:
    found = {MACHINE: (logits >= cut.logit).astype(np.int64), **gold.outcomes}
    if settings.lens_test:
        said = [tests.get(key) for key in ids.tolist()]
        found[LENS_TEST] = np.array(
            [NOT_ASKED if verdict is None else int(verdict == SUPPORTS) for verdict in said],
            dtype=np.int64,
        )
    return found


def _population(settings: SelectionSettings, n_candidates: int) -> Population:
    if settings.population:
        return read_population(Path(settings.population))
    total = float(settings.survey_prior) * n_candidates
    return early_type_lenses(total, min_arc_snr=float(settings.population_min_snr))


def _expected(
    measured: SelectionMap, population: Population
) -> tuple[ExpectedLenses | None, list[str]]:
    """Lenses that are found of a population; a sentence where none lies in the injected range."""
    try:
        return expected_found(measured.function, population), []
    except BadInputError as error:
        return None, [str(error)]


def _purities(
    maps: Mapping[str, SelectionMap],
    steps: tuple[str, ...],
    false_positives: Mapping[str, Proportion],
    population: Population,
    prior: float,
) -> dict[str, Purity]:
    found = {}
    for name, of in ((MACHINE, (MACHINE,)), (COMBINED, steps)):
        rates = [false_positives.get(step, Proportion(0, 0)) for step in of]
        mean = maps[name].function.mean(
            population.theta_e_arcsec, population.arc_snr, population.number
        )
        if all(rate.total for rate in rates) and math.isfinite(float(mean.value)):
            found[name] = purity(mean, rates, prior)
    return found


def _notes(
    maps: Mapping[str, SelectionMap], steps: tuple[str, ...], injections: Injections
) -> list[str]:
    said = []
    for name, measured in maps.items():
        if measured.misfit < 0.01:
            said.append(
                f"The counts in the cells scatter more around the surface of {name} than chance "
                f"allows (p = {measured.misfit:.1g}): use the cells."
            )
    if maps[COMBINED].unknown:
        said.append(
            f"Of {maps[COMBINED].unknown:,} graded lenses it is not known whether the machine "
            "finds them: both are assumed to be independent at given θ_E and S/N."
        )
    few = [
        name
        for name in injections.outcomes
        if name not in maps and (injections.outcomes[name] != NOT_ASKED).any()
    ]
    if few:
        said.append(f"Fewer than {FEWEST} injected lenses are known for {', '.join(few)}.")
    left_out = [name for name in (TEAM, LENS_TEST) if name in maps and name not in steps]
    if left_out:
        said.append(f"Too few lenses pass the steps before {', '.join(left_out)} to combine them.")
    return said
