"""The search in numbers: what the workspace knows of a catalog, its ensemble and its graders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from lens_triage.training.report.measured import Measured, measured_on
from lensing_core.consensus import Agreement, fleiss_kappa
from lensing_core.metrics import Metric
from lensing_core.models.manifest_types import EnsembleManifest
from lensing_core.models.provenance import package_versions
from lensing_core.store import Session
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.consensus_choice import ConsensusSettings, current_consensus_settings
from lensing_core.store.ensembles import best_ensemble, rows_scored
from lensing_core.store.search_counts import (
    CountedVote,
    candidates_of_sessions,
    consensus_states,
    count_outcomes,
    count_votes_in,
    open_blind_sessions,
    votes_of_catalog,
)
from lensing_core.store.summaries import LabelCounts, count_labels, list_catalogs
from lensing_core.store.tables import STAGES, Catalog, Ensemble
from lensing_core.workspace import Workspace

_LENS, _OPEN, _NOT = 0, 1, 2


@dataclass(frozen=True)
class CatalogFacts:
    """The searched catalog."""

    id: int
    name: str
    survey: str
    survey_title: str
    survey_reference: str
    origin: str
    scale: str
    bands: tuple[str, ...]
    size_px: int
    pixel_scale_arcsec: float
    n_candidates: int
    n_quarantined: int
    rows_read: int
    labels: LabelCounts
    label_source: str | None
    stages: dict[str, int]
    notes: dict[str, Any]


@dataclass(frozen=True)
class EnsembleFacts:
    """The ensemble whose ranking the report is about."""

    id: int
    name: str
    fusion: str
    members: tuple[tuple[str, str], ...]
    versions: dict[str, str]
    trained_on: tuple[str, ...]
    calibration: tuple[str, ...]
    survey_prior: float | None
    promoted_at: datetime | None
    n_scored: int
    figures: dict[str, Metric]
    metrics_on: str


@dataclass(frozen=True)
class GraderFacts:
    """A grader, by pseudonym or name, with counts of active grades."""

    name: str
    n_votes: int
    n_lens: int


@dataclass(frozen=True)
class SearchFacts:
    """Everything that a report states.

    Attributes
    ----------
    made_at : datetime
    catalog : CatalogFacts
    ensemble : EnsembleFacts or None
    measured : Measured or None
        Not part of ``report.json``, which has the figures of it.
    graders : tuple of GraderFacts
    grades : dict
        Number of active grades by scheme and grade.
    agreement : Agreement
        Fleiss' kappa on lens, open, no lens.
    consensus : ConsensusSettings or None
    consensus_states : dict
        Candidates by state; empty without a consensus.
    confirmed : dict
        Candidates by outcome of the confirmation record in force.
    kept_blind : frozenset of int
        Candidates of open blind sessions, whose grades and consensus are left out.
    missing : list of str
        One sentence for each thing that the workspace does not have.
    """

    made_at: datetime
    catalog: CatalogFacts
    ensemble: EnsembleFacts | None
    measured: Measured | None
    graders: tuple[GraderFacts, ...]
    grades: dict[str, dict[str, int]]
    agreement: Agreement
    n_graded: int
    n_graded_by_several: int
    consensus: ConsensusSettings | None
    consensus_states: dict[str, int]
    confirmed: dict[str, int]
    kept_blind: frozenset[int]
    versions: dict[str, str]
    missing: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON of all of it, NaN as null."""
        ensemble = None
        if self.ensemble is not None:
            figures = {name: f.to_json() for name, f in self.ensemble.figures.items()}
            ensemble = {**_plain(self.ensemble), "figures": figures}
        measured = None
        if self.measured is not None:
            m = self.measured
            measured = {"on": m.on, "lenses": m.n_lenses, "others": m.n_others, "prior": m.prior,
                        "threshold_logit": m.threshold}  # fmt: skip
        return {
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "catalog": _plain(self.catalog),
            "ensemble": ensemble,
            "measured": measured,
            "graders": [_plain(one) for one in self.graders],
            "grades": self.grades,
            "graded": self.n_graded,
            "graded_by_several": self.n_graded_by_several,
            "agreement": _plain(self.agreement),
            "consensus": None if self.consensus is None else _plain(self.consensus),
            "consensus_states": self.consensus_states,
            "confirmed": self.confirmed,
            "left_out_blind": len(self.kept_blind),
            "versions": self.versions,
            "missing": self.missing,
        }


def _plain(of: Any) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in asdict(of).items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and value != value:
        return None
    return value


def gather(
    session: Session,
    workspace: Workspace,
    catalog: str,
    ensemble: str = "",
    *,
    names: bool,
    made_at: datetime,
) -> SearchFacts:
    """Facts of a search in a catalog.

    Parameters
    ----------
    ensemble : str, optional
        '' for the one that is taken where none is named.
    names : bool
        Graders by their names; else grader 1, 2, ... in the order of their number of grades.

    Raises
    ------
    NotFoundError
        If there is no such catalog or ensemble.
    """
    catalog_row = find_catalog(session, catalog)
    chosen = best_ensemble(session, catalog_row.id, ensemble)
    missing: list[str] = []
    measured: Measured | None = None
    if chosen is None:
        missing.append(
            f"No ensemble has scored {catalog}: the report has no ranking and no metrics of one."
        )
    else:
        answer = measured_on(session, workspace, chosen, catalog_row)
        if isinstance(answer, str):
            missing.append(answer)
        else:
            measured = answer
    blind = open_blind_sessions(session)
    kept_blind = frozenset(candidates_of_sessions(session, blind))
    left_out = count_votes_in(session, catalog_row.id, blind)
    if left_out:
        missing.append(
            f"{left_out:,} grades of open blind sessions are left out, and so is the consensus on "
            "their candidates, until the sessions are closed."
        )
    votes = votes_of_catalog(session, catalog_row.id, blind)
    if not votes:
        missing.append(f"Nobody has graded candidates of {catalog}.")
    settings = current_consensus_settings(session)
    if settings is None and votes:
        missing.append("The grades have not been aggregated to a consensus yet.")
    states: dict[str, int] = {}
    if settings is not None:
        states = consensus_states(session, catalog_row.id, settings.method, kept_blind)
    by_candidate = Counter(vote.candidate_id for vote in votes)
    return SearchFacts(
        made_at,
        _catalog_facts(session, catalog_row),
        None if chosen is None else _ensemble_facts(session, chosen, catalog_row, measured),
        measured,
        _graders(votes, names),
        _grades(votes),
        _agreement(votes),
        len(by_candidate),
        sum(n > 1 for n in by_candidate.values()),
        settings,
        states,
        count_outcomes(session, catalog_row.id),
        kept_blind,
        package_versions(),
        missing,
    )


def _catalog_facts(session: Session, catalog: Catalog) -> CatalogFacts:
    summary = next(c for c in list_catalogs(session, archived=True) if c.id == catalog.id)
    definition = catalog.survey.definition
    return CatalogFacts(
        catalog.id,
        catalog.name,
        summary.survey,
        summary.survey_title,
        " ".join(str(definition.get("reference") or "").split()),
        catalog.origin,
        catalog.scale,
        summary.bands,
        catalog.size_px,
        catalog.pixel_scale_arcsec,
        catalog.n_candidates,
        catalog.n_quarantined,
        catalog.rows_read,
        count_labels(session, catalog.id),
        catalog.label_source,
        {stage: summary.stages.get(stage, 0) for stage in STAGES},
        dict(catalog.notes),
    )


def _ensemble_facts(
    session: Session, chosen: Ensemble, catalog: Catalog, measured: Measured | None
) -> EnsembleFacts:
    manifest: EnsembleManifest = chosen.manifest
    rule = manifest.get("rule")
    figures, on = {}, manifest.get("figures_on", "")
    if measured is not None:
        figures, on = measured.figures, measured.on
    else:
        stored = manifest.get("figures", {}).get("ensemble", {})
        figures = {name: Metric.from_json(figure) for name, figure in stored.items()}
    members = [member.model for member in chosen.members]
    versions: dict[str, str] = {}
    for model in members:
        versions.update((model.manifest or {}).get("versions", {}))
    methods = [c["method"] for c in (*rule["members"], rule["joint"])] if rule else []
    return EnsembleFacts(
        chosen.id,
        chosen.name,
        chosen.fusion,
        tuple((model.id, model.kind) for model in members),
        versions,
        tuple(manifest.get("catalogs", [])),
        tuple(dict.fromkeys(methods)),
        rule["survey_prior"] if rule else None,
        chosen.promoted_at,
        rows_scored(session, chosen.id, catalog.id),
        dict(figures),
        on,
    )


def _graders(votes: Sequence[CountedVote], names: bool) -> tuple[GraderFacts, ...]:
    n_votes = Counter(vote.grader_id for vote in votes)
    n_lens = Counter(vote.grader_id for vote in votes if vote.is_lens == 1)
    name_of = {vote.grader_id: vote.grader for vote in votes}
    ordered = sorted(n_votes, key=lambda key: (-n_votes[key], key))
    return tuple(
        GraderFacts(name_of[key] if names else f"grader {k}", n_votes[key], n_lens[key])
        for k, key in enumerate(ordered, start=1)
    )


def _grades(votes: Sequence[CountedVote]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (scheme, grade), n in sorted(Counter((v.scheme, v.grade) for v in votes).items()):
        counts.setdefault(scheme, {})[grade] = n
    return counts


def _agreement(votes: Sequence[CountedVote]) -> Agreement:
    """Fleiss' kappa on lens, open, no lens."""
    row_of = {key: k for k, key in enumerate(dict.fromkeys(v.candidate_id for v in votes))}
    counts = np.zeros((len(row_of), 3), dtype=np.int64)
    for vote in votes:
        said = {1: _LENS, 0: _NOT}.get(-1 if vote.is_lens is None else vote.is_lens, _OPEN)
        counts[row_of[vote.candidate_id], said] += 1
    return fleiss_kappa(counts)
