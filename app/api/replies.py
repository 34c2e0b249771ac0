"""Rows of the database as the API tells them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lens_triage.app.api.forms import (
    CandidateReply,
    CatalogReply,
    EnsembleReply,
    EnsembleScoreReply,
    OneCandidateReply,
    RunReply,
    ScoreReply,
)
from lensing_core.store import Session
from lensing_core.store.details import CandidateDetails, candidate_details
from lensing_core.store.ensembles import version_of
from lensing_core.store.list_marks import ListMarks
from lensing_core.store.runs import RunSummary
from lensing_core.store.score_context import scores_of_candidate
from lensing_core.store.tables import Candidate, Catalog, Ensemble, Score

_SCORE = ("logit", "probability", "epistemic", "aleatoric", "disagreement", "ood_distance")
_OBSERVED = (
    *("z_spec", "z_phot", "z_err", "magnitudes", "fluxes", "snr", "half_light_radius_arcsec"),
    *("sersic_index", "axis_ratio", "position_angle_deg", "richness", "psf_fwhm_arcsec"),
    *("seeing_arcsec", "instrument", "variance_available"),
)
_INGEST = "ingest"


def finite(value: float | None) -> float | None:
    """A number that JSON can hold; None for NaN and infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def plain(value: Any) -> Any:
    """A value without NaN and infinity, however deep they stand."""
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def moment(at: datetime | None) -> str | None:
    """A time in ISO 8601."""
    return None if at is None else at.isoformat()


def catalog_reply(catalog: Catalog) -> CatalogReply:
    """A catalog."""
    return {
        "name": catalog.name,
        "title": catalog.shown_name,
        "survey": catalog.survey.name,
        "scale": catalog.scale,
        "origin": catalog.origin,
        "bands": list(catalog.bands),
        "size_px": catalog.size_px,
        "pixel_scale_arcsec": catalog.pixel_scale_arcsec,
        "pixel_kind": catalog.pixel_kind,
        "n_candidates": catalog.n_candidates,
        "archived": catalog.archived_at is not None,
    }


def ensemble_reply(ensemble: Ensemble) -> EnsembleReply:
    """An ensemble whose manifests are in order."""
    return {
        "name": ensemble.name,
        "title": ensemble.shown_name,
        "version": version_of(ensemble),
        "fusion": ensemble.fusion,
        "members": [member.model_id for member in ensemble.members],
        "promoted": ensemble.promoted_at is not None,
        "archived": ensemble.archived_at is not None,
        "created_at": ensemble.created_at.isoformat(),
    }


def score_reply(score: Score) -> ScoreReply:
    """A score."""
    values = {name: finite(getattr(score, name)) for name in _SCORE}
    return ScoreReply(**values)  # type: ignore[typeddict-item]  # the names are its keys


def candidate_reply(
    candidate: Candidate, score: Score | None, marks: ListMarks, catalog: str
) -> CandidateReply:
    """A row of a list."""
    label = None if marks.blind or candidate.label is None else candidate.label
    opinion = marks.consensus
    return {
        "id": candidate.id,
        "object_id": candidate.object_id,
        "catalog": catalog,
        "cutout_index": candidate.cutout_index,
        "cutout_sha256": candidate.cutout_sha256,
        "ra_deg": finite(candidate.ra_deg),
        "dec_deg": finite(candidate.dec_deg),
        "magnitude": finite(candidate.magnitude),
        "stage": candidate.stage,
        "label": None if label is None else "lens" if label else "not_lens",
        "tags": list(marks.tags),
        "own_grade": None if marks.own is None else marks.own[1],
        "consensus": None
        if opinion is None
        else {
            "posterior": opinion.posterior,
            "state": opinion.state,
            "n_votes": opinion.n_votes,
        },
        "graded_blind": marks.blind,
        "score": None if score is None else score_reply(score),
    }


def one_candidate_reply(row: CandidateReply, details: CandidateDetails) -> OneCandidateReply:
    """A candidate with its observation; the truth of a simulated one is not told."""
    observation = details.candidate.observation
    observed: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    if observation is not None:
        observed = {name: getattr(observation, name) for name in _OBSERVED}
        columns = {k: v for k, v in observation.properties.items() if k != _INGEST}
    return {**row, "observation": plain(observed), "columns": plain(columns)}


def ensemble_scores(session: Session, candidate_id: int) -> list[EnsembleScoreReply]:
    """Scores of a candidate by each ensemble whose manifests are in order, and its members."""
    told: list[EnsembleScoreReply] = []
    for score, ensemble in scores_of_candidate(session, candidate_id):
        if ensemble.problem:
            continue
        members = candidate_details(session, [candidate_id], ensemble.id)[candidate_id].members
        told.append(
            {
                "ensemble": ensemble.name,
                "version": version_of(ensemble),
                **score_reply(score),
                "members": [
                    {
                        "model": member.model_id,
                        "kind": member.kind,
                        "logit": member.logit,
                        "probability": member.probability,
                    }
                    for member in members
                ],
            }
        )
    return told


def run_reply(run: RunSummary) -> RunReply:
    """A run, as it may be told to who asks."""
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "status": run.status,
        "done": run.done,
        "total": run.total,
        "share": run.share,
        "activity": run.activity,
        "error": run.error,
        "created_at": run.created_at.isoformat(),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "settings": plain(run.settings),
        "result": None if run.result is None else plain(run.result),
    }
