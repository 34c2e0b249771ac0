"""The rounds of a campaign: what each new ensemble learned from, and what its queue has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.consensus import Share
from lensing_core.store.consensus_choice import method_in_force
from lensing_core.store.ensembles import test_set_key
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.ranking_order import RankingOrder
from lensing_core.store.tables import Candidate, Catalog, Consensus, Ensemble, Vote

LENS_FROM = 0.5
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
    figures, base_figures, differences : mapping
        Of the ensemble and of its base on the same held-out objects, as the manifest has them.
    figures_on, test_set : str
        Those objects in words, and a key that other objects do not share.
    top : Share
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
    figures: Mapping[str, Any]
    base_figures: Mapping[str, Any]
    differences: Mapping[str, Any]
    figures_on: str
    test_set: str
    top: Share
    n_top: int
    graded: int
    added: int


def loop_history(session: Session, catalog: str = "") -> list[Round]:
    """The rounds of a catalog, oldest first; of the catalog retrained last where none is named.

    A lens is a candidate whose posterior by consensus is one half or more.
    """
    ensembles = list(session.scalars(select(Ensemble).order_by(Ensemble.created_at, Ensemble.id)))
    retrained = [e for e in ensembles if "splits" in e.manifest and "base" in e.manifest]
    if not catalog and retrained:
        catalog = retrained[-1].manifest["catalogs"][0]
    mine = [e for e in retrained if catalog in e.manifest.get("catalogs", ())]
    if not mine:
        return []
    roots = [e for e in ensembles if e.name == mine[0].manifest["base"]]
    chain = [*roots, *mine]
    found = session.scalars(select(Catalog).where(Catalog.name == catalog)).one_or_none()
    if found is None:
        return []
    first_graded = _first_graded(session, found.id)
    rounds = []
    for k, ensemble in enumerate(chain):
        since = ensemble.created_at if k else None
        until = chain[k + 1].created_at if k + 1 < len(chain) else None
        fresh = [
            lens
            for at, lens in first_graded
            if (since is None or at > since) and (until is None or at <= until)
        ]
        rounds.append(_round(session, k, ensemble, found.id, fresh, retrained=k >= len(roots)))
    return rounds


def _round(
    session: Session,
    number: int,
    ensemble: Ensemble,
    catalog_id: int,
    fresh: Sequence[bool],
    *,
    retrained: bool,
) -> Round:
    manifest = ensemble.manifest
    splits = manifest.get("splits", {}) if retrained else {}
    counted = [part for part in splits.values() if isinstance(part, dict)]
    lenses = sum(part.get("lenses", 0) for part in counted)
    figures = manifest.get("figures", {})
    base = manifest.get("base", "") if retrained else ""
    known, n_top = _top(session, ensemble.id, catalog_id)
    return Round(
        number,
        ensemble.name,
        ensemble.run_id,
        ensemble.created_at,
        ensemble.promoted_at is not None,
        base,
        lenses + sum(part.get("others", 0) for part in counted),
        lenses,
        figures.get("ensemble", {}),
        figures.get(f"base {base}", {}),
        manifest.get("differences", {}),
        manifest.get("figures_on", ""),
        test_set_key(manifest),
        Share(sum(known), len(known)),
        n_top,
        len(fresh),
        sum(fresh),
    )


def _first_graded(session: Session, catalog_id: int) -> list[tuple[datetime, bool]]:
    """When each graded candidate got its first standing vote, and whether it is a lens."""
    rows = session.execute(
        select(func.min(Vote.at), func.max(Consensus.posterior))
        .join(Candidate, Candidate.id == Vote.candidate_id)
        .join(Consensus, Consensus.candidate_id == Vote.candidate_id)
        .where(Candidate.catalog_id == catalog_id, Consensus.method == method_in_force())
        .group_by(Vote.candidate_id)
    )
    return [(at, posterior >= LENS_FROM) for at, posterior in rows]


def _top(session: Session, ensemble_id: int, catalog_id: int) -> tuple[list[bool], int]:
    """Of the first candidates of a ranking, the known answers; and how many there are."""
    query = RankingQuery(ensemble_id=ensemble_id, catalog_ids=(catalog_id,))
    ids = [key.candidate_id for key in RankingOrder(session, query).keys(None, TOP, backward=False)]
    graded = session.execute(
        select(Consensus.candidate_id, Consensus.posterior).where(
            Consensus.candidate_id.in_(ids), Consensus.method == method_in_force()
        )
    )
    imported = session.execute(
        select(Candidate.id, Candidate.label).where(
            Candidate.id.in_(ids), Candidate.label.is_not(None)
        )
    )
    answers = {key: bool(label) for key, label in imported}
    answers |= {key: posterior >= LENS_FROM for key, posterior in graded}
    return [answers[key] for key in ids if key in answers], len(ids)
