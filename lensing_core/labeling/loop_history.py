"""The rounds of a campaign: what each new ensemble learned from, and what its queue has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.uses import LENS, USES
from lensing_core.proportions import Proportion
from lensing_core.store import Session
from lensing_core.store.catalogs import catalog_named
from lensing_core.store.ensembles import ensembles_by_age, test_set_key
from lensing_core.store.scores import first_of_ranking
from lensing_core.store.tables import Catalog, Ensemble
from lensing_core.store.votes import first_graded

TOP = 100


@dataclass(frozen=True)
class Round:
    """One ensemble of the loop; the first is what the search began with.

    Attributes
    ----------
    number : int
        0 for the ensemble that nothing here was retrained from.
    labels, lenses : int
        Labeled objects that it learned from or was measured on, and how many of them lenses.
    metrics, base_metrics, differences : mapping
        Of the ensemble and of its base on the same held-out objects, as the manifest has them.
    metrics_on, test_set : str
        Those objects in words, and a key that other objects do not share.
    top : Proportion
        Lenses of its first :data:`TOP` candidates, among those whose answer is known.
    n_top : int
        How many candidates that is out of.
    graded, added : int
        Objects that people first graded while it was the newest, and lenses among them.
    """

    number: int
    ensemble: str
    run_id: str | None
    made_at: datetime
    promoted: bool
    base: str
    labels: int
    lenses: int
    metrics: Mapping[str, Any]
    base_metrics: Mapping[str, Any]
    differences: Mapping[str, Any]
    metrics_on: str
    test_set: str
    top: Proportion
    n_top: int
    graded: int
    added: int


def loop_history(session: Session, catalog: str = "") -> list[Round]:
    """The rounds of a catalog, oldest first; of the catalog retrained last where none is named.

    What is a lens, and what has an answer, is the rule of :mod:`lensing_core.datasets`. Broken
    ensembles are left out; Train says what is wrong with them.
    """
    ensembles = [ensemble for ensemble in ensembles_by_age(session) if not ensemble.problem]
    retrained = [e for e in ensembles if {"splits", "base", "catalogs"} <= set(e.manifest)]
    if not catalog and retrained:
        catalog = next(iter(retrained[-1].manifest.get("catalogs", [])), "")
    mine = [e for e in retrained if catalog in e.manifest.get("catalogs", ())]
    if not mine:
        return []
    roots = [e for e in ensembles if e.name == mine[0].manifest.get("base")]
    chain = [*roots, *mine]
    catalog_row = catalog_named(session, catalog)
    if catalog_row is None:
        return []
    answers = known_answers(session, catalog_row)
    rule = GradeRule.current(session)
    graded = [
        (grade.at, rule.state(grade.posterior, grade.prior) == LENS)
        for grade in first_graded(session, catalog_row.id)
    ]
    rounds = []
    for k, ensemble in enumerate(chain):
        since = ensemble.created_at if k else None
        until = chain[k + 1].created_at if k + 1 < len(chain) else None
        fresh = [
            lens
            for at, lens in graded
            if (since is None or at > since) and (until is None or at <= until)
        ]
        top = first_of_ranking(session, catalog_row.id, ensemble.id, TOP)
        known = [answers[key] for key in top if key in answers]
        rounds.append(
            _round(
                k,
                ensemble,
                Proportion(sum(known), len(known)),
                len(top),
                fresh,
                retrained=k >= len(roots),
            )
        )
    return rounds


def _round(
    number: int,
    ensemble: Ensemble,
    top: Proportion,
    n_top: int,
    fresh: Sequence[bool],
    *,
    retrained: bool,
) -> Round:
    manifest = ensemble.manifest
    counted = list(manifest.get("splits", {}).values()) if retrained else []
    lenses = sum(part.get("lenses", 0) for part in counted)
    metrics = manifest.get("figures", {})
    base = manifest.get("base", "") if retrained else ""
    return Round(
        number,
        ensemble.name,
        ensemble.run_id,
        ensemble.created_at,
        ensemble.promoted_at is not None,
        base,
        lenses + sum(part.get("others", 0) for part in counted),
        lenses,
        metrics.get("ensemble", {}),
        metrics.get(f"base {base}", {}),
        manifest.get("differences", {}),
        manifest.get("figures_on", ""),
        test_set_key(manifest),
        top,
        n_top,
        len(fresh),
        sum(fresh),
    )


def known_answers(session: Session, catalog: Catalog) -> dict[int, bool]:
    """Return whether each candidate of a catalog whose answer is known is a lens, by id."""
    rule = GradeRule.current(session)
    labels = read_labels(session, [catalog], USES["known answers"], grades=rule)
    lens = (labels.state == LENS).tolist()
    return dict(zip(labels.candidate_id.tolist(), lens, strict=True))
