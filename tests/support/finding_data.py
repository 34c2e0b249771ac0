"""A filled workspace with what lists are filtered by: grades, tags, arcs, matches, embeddings."""

from __future__ import annotations

import uuid

import numpy as np
from filling import fill_workspace
from sqlalchemy import select

from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import OutputWriter
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import (
    Candidate,
    CandidateTag,
    Catalog,
    Crossmatch,
    CrossmatchEntry,
    Score,
    utc_now,
)
from lensing_core.workspace import Workspace

GRADED, RINGS, KNOWN = range(1, 31), range(5, 13), range(1, 4)


def fill_for_finding(workspace: Workspace) -> Workspace:
    """``fill_workspace``, and for the candidates of ``cosmos`` everything else."""
    fill_workspace(workspace)
    rng = np.random.default_rng(8)
    with open_database(workspace).session() as session:
        cosmos = session.scalars(select(Catalog).where(Catalog.name == "cosmos")).one()
        candidates = session.scalars(
            select(Candidate).where(Candidate.catalog_id == cosmos.id).order_by(Candidate.id)
        ).all()
        logits = {
            s.candidate_id: s.logit
            for s in session.scalars(select(Score).where(Score.catalog_id == cosmos.id))
        }
        for candidate in candidates:
            if rng.random() < 0.8:
                candidate.arc_radius_arcsec = float(rng.uniform(0.6, 3))
                candidate.arc_length_arcsec = float(rng.exponential(2))
                candidate.arc_snr = float(rng.uniform(5, 40))
        graders = [grader_named(session, name).id for name in ("Vera Rubin", "Fritz Zwicky")]
        append_events(
            session,
            [
                NewEvent(
                    str(uuid.UUID(int=k, version=4)),
                    "grade",
                    graders[k % 2],
                    candidates[k].id,
                    "abcx",
                    utc_now(),
                    grade="ABCX"[k % 4],
                    is_lens=int(k % 4 < 2),
                )
                for k in GRADED
            ],
        )
        session.add_all(CandidateTag(candidate_id=candidates[k].id, tag="ring") for k in RINGS)
        match = Crossmatch(
            catalog_id=cosmos.id,
            reference="lenscat",
            title="Known lenses (lenscat)",
            kind="lens",
            version="1",
            radius_arcsec=2,
            max_normalized=5,
            candidate_error_arcsec=0.2,
            reference_error_arcsec=0.5,
            state="complete",
            asked_all=True,
            n_candidates=len(candidates),
            n_unplaced=0,
            n_matched=len(KNOWN),
            n_review=0,
            n_references=100,
        )
        session.add(match)
        session.flush()
        session.add_all(
            CrossmatchEntry(
                crossmatch_id=match.id,
                candidate_id=candidates[k].id,
                status="matched",
                separation_arcsec=0.3,
                n_counterparts=1,
                n_rivals=1,
                counterpart_name=f"Lens {k}",
            )
            for k in KNOWN
        )
    logit = np.array([logits[c.id] for c in candidates])
    base = rng.normal(size=(len(candidates), 12))
    base[:, :2] *= 3
    base[:, 0] += logit
    OutputWriter(workspace, "first-timm", "cosmos", len(candidates)).write(
        0, MemberOutput(logit, embedding=base.astype(np.float32))
    )
    return workspace
