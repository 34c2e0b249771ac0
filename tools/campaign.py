"""A labeling campaign on the demonstration, played by simulated graders who know its hidden truth.

Three graders of stated skill grade two queues; the ensemble is retrained and promoted in between.
Their grades go through the same functions as those of a browser. For pictures of the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select

from lens_triage.training import runner as jobs
from lens_triage.training.demo import ENSEMBLE, SURVEY_CATALOG
from lens_triage.training.labeling import SessionSettings, make_session
from lens_triage.training.settings import RetrainSettings
from lensing_core.acquisition.promotion import promote
from lensing_core.errors import WorkspaceError
from lensing_core.labeling import GraderView, close_session, open_grader_view, record
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import sign_in, workspace_secret
from lensing_core.store.tables import LabelEvent, Observation, utc_now
from lensing_core.workspace import Workspace

CLEAR_SNR = 60.0
_REASONS = {
    **{name: name for name in ("ring", "spiral", "merger", "edge_on", "artefact", "alignment")},
    "tidal_tail": "tidal",
    "group": "companion",
}
_HARD = ("ring", "tidal_tail", "alignment")
_ORGANIZER = "Ana Lima"


@dataclass(frozen=True)
class Player:
    """A simulated grader.

    Attributes
    ----------
    sharpness : float
        Share of objects that are taken for what they are.
    share : float
        Of a queue that is graded.
    seconds : float
        Median on a cutout.
    """

    name: str
    sharpness: float
    share: float
    seconds: float


PLAYERS = (
    Player(_ORGANIZER, 0.98, 1.0, 1.3),
    Player("Bo Chen", 0.95, 1.0, 1.0),
    Player("Noor Haddad", 0.91, 0.7, 1.7),
)


def play(workspace: Workspace) -> str:
    """Grade, retrain, promote, grade and retrain again; the id of a session left open.

    Raises
    ------
    WorkspaceError
        If something was graded there before.
    """
    database = open_database(workspace)
    with database.session() as session:
        if session.scalar(select(LabelEvent.id).limit(1)) is not None:
            raise WorkspaceError(f"{workspace.root} holds grades; play on a fresh demonstration.")
        sign_in(session, _ORGANIZER)  # the first is the organizer
    truth = read_truth(workspace)
    ensemble = ENSEMBLE
    for number, name in enumerate(("first night", "second night"), start=1):
        played = _session(workspace, name, ensemble, n=220)
        for player in PLAYERS:
            _grade(workspace, played, player, truth, seed=number)
        with database.session() as session:
            close_session(session, played)
            update_consensus(session, ConsensusSettings())
        made = f"round-{number + 1}"
        settings = RetrainSettings(
            ensemble=made, base=ensemble, catalog=SURVEY_CATALOG, survey_prior=0.02
        )
        run = jobs.wait(workspace, jobs.submit(workspace, settings))
        if run.status != "succeeded":
            raise WorkspaceError(f"{run.title}: {run.error or run.status}")
        if number == 1:
            with database.session() as session:
                promote(session, made)
            ensemble = made
    return _session(workspace, "third night", ensemble, n=150)


def read_truth(workspace: Workspace) -> dict[int, dict[str, Any]]:
    """Return what each simulated object is, by candidate."""
    with open_database(workspace).session() as session:
        rows = session.execute(select(Observation.candidate_id, Observation.truth))
        return {candidate_id: dict(truth or {}) for candidate_id, truth in rows}


def view_of_organizer(workspace: Workspace, session_id: str) -> GraderView:
    """The cutouts of a session as the organizer meets them."""
    with open_database(workspace).session() as session:
        grader = sign_in(session, _ORGANIZER)
        return open_grader_view(session, workspace_secret(workspace), session_id, grader.id)


def _session(workspace: Workspace, name: str, ensemble: str, *, n: int) -> str:
    settings = SessionSettings(
        session=name,
        ensemble=ensemble,
        catalogs=[SURVEY_CATALOG],
        n=n,
        gold_fraction=0.15,
        repeat_fraction=0.08,
        graders=[player.name for player in PLAYERS],
    )
    return make_session(workspace, settings, None)


def _grade(
    workspace: Workspace,
    session_id: str,
    player: Player,
    truth: dict[int, dict[str, Any]],
    *,
    seed: int,
) -> None:
    """All of a player's grades of a session, as a browser would send them."""
    rng = np.random.default_rng([seed, PLAYERS.index(player)])
    with open_database(workspace).session() as session:
        grader = sign_in(session, player.name)
        view = open_grader_view(session, workspace_secret(workspace), session_id, grader.id)
        begun = utc_now()
        events = []
        for k, cutout in enumerate(view.cutouts[: round(player.share * len(view.cutouts))]):
            grade, reason = _say(truth[cutout.candidate_id], player, rng)
            events.append(
                {
                    "uuid": str(UUID(bytes=rng.bytes(16), version=4)),
                    "kind": "grade",
                    "token": cutout.token,
                    "given_at": (begun + timedelta(milliseconds=k)).isoformat(),
                    "grade": grade,
                    "reject_reason": reason,
                    "shown_ms": float(1000 * player.seconds * rng.lognormal(0, 0.4)),
                }
            )
        outcomes = record(session, view, events)
    refused = [outcome.refused for outcome in outcomes if outcome.refused]
    if refused:
        raise WorkspaceError(f"{len(refused)} grades were refused: {refused[0]}")


def _say(truth: dict[str, Any], player: Player, rng: np.random.Generator) -> tuple[str, str | None]:
    """A grade, and for a rejected object often the reason."""
    kind = str(truth.get("class", ""))
    is_lens = "theta_e_arcsec" in truth
    hard = float(truth.get("arc_snr", 0)) < CLEAR_SNR if is_lens else kind in _HARD
    sees = rng.random() < player.sharpness - (0.1 if hard else 0.0)
    if is_lens and sees:
        p = [0.45, 0.45, 0.1] if hard else [0.85, 0.15, 0.0]
        return str(rng.choice(["A", "B", "C"], p=p)), None
    if not is_lens and not sees:
        return str(rng.choice(["B", "C"], p=[0.4, 0.6])), None
    reason = _REASONS.get(kind, "other") if rng.random() < 0.5 else None
    return "X", reason
