"""Lines of the Team page's tables."""

from __future__ import annotations

from datetime import datetime, timedelta

from lens_triage.app.runs.rows import metric_text
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    action,
    column,
)
from lensing_core.acquisition import QueueEntry
from lensing_core.consensus import Agreement
from lensing_core.labeling.loop_history import TOP, Round
from lensing_core.labeling.team import GraderPair, TeamGrader
from lensing_core.proportions import Proportion
from lensing_core.store.consensus_list import ConsensusEntry
from lensing_core.store.mentions import NoteForMe
from lensing_core.store.presence import Presence
from lensing_core.store.votes import Coverage

_ACTIVE = timedelta(minutes=5)
KEPT_BACK = "Shown when no blind session is open"
_CHIPS = {"accepted": "success", "retired": "", "open": "accent"}

GRADER_COLUMNS = [
    column("name", "Grader", width="19%"),
    column("votes", "Votes", align="right", width="76px", help_text="Candidates with a grade"),
    column("pace", "Cutouts/h", align="right", width="84px", help_text="At the median pace"),
    column(
        "repeats", "Repeatability", align="right", help_text="Blind repeats with the same grade"
    ),
    column("lenses", "Lenses seen", align="right", help_text="Gold lenses graded as lens"),
    column(
        "others", "Non-lenses seen", align="right", help_text="Gold non-lenses graded as no lens"
    ),
    column(
        "model",
        "By consensus",
        align="right",
        help_text="Probability of a grade that says lens for a lens / no lens for another object",
    ),
]
PAIR_COLUMNS = [
    column("pair", "Graders"),
    column("n", "Objects", align="right", width="76px"),
    column("kappa", "Cohen's κ", align="right", width="46%"),
]
COVERAGE_COLUMNS = [
    column("catalog", "Catalog"),
    column("graded", "Graded", align="right", width="100px"),
    column("several", "Twice or more", align="right", width="110px"),
    column("share", "Of all", width="30%"),
]
LIST_COLUMNS = [
    column("object", "Candidate", width="22%"),
    column("state", "", width="92px"),
    column("posterior", "P(lens)", align="right", width="21%", help_text="With 95 % interval"),
    column("votes", "Votes", align="right", width="58px"),
    column("needed", "Needed", align="right", width="70px", help_text="Expected further votes"),
    column("said", "Grades by grader"),
]
EXPERT_COLUMNS = [column("object", "Candidate", width="40%"), column("why", "Why")]
MENTION_COLUMNS = [
    column("object", "Candidate", width="22%"),
    column("who", "From", width="16%"),
    column("text", "Note", align="wrap"),
    column("at", "Written", align="right", width="96px"),
]
PRESENCE_COLUMNS = [
    column("name", "Grader", width="24%"),
    column("session", "Session"),
    column("done", "Done", align="right", width="26%", help_text="Graded or skipped"),
    column("last", "Last event", align="right", width="112px"),
]
ROUND_COLUMNS = [
    column("number", "Round", align="right", width="58px"),
    column("ensemble", "Ensemble", width="17%"),
    column("labels", "Labels", align="right", width="104px", help_text="Of them lenses"),
    column(
        "tpr10", "TPR10", align="right", help_text="On its frozen evaluation set, 95 % interval"
    ),
    column(
        "change",
        "Δ vs base",
        align="right",
        help_text="Paired difference of TPR10 on the same objects",
    ),
    column("top", f"Purity of top {TOP}", align="right", help_text="Lenses among known answers"),
    column("added", "Lenses added", align="right", width="112px", help_text="While it was newest"),
    column("act", "", align="right", width="100px"),
]


def presence_row(one: Presence, now: datetime) -> Row:
    """A grader in an open session; who did something of late is active."""
    active = one.last_at is not None and now - one.last_at < _ACTIVE
    return {
        "key": f"{one.session_id} {one.grader_id}",
        "name": {"text": one.grader, **({"note": "active"} if active else {})},
        "session": {"text": one.session, "href": f"label?session={one.session_id}"},
        "done": {
            "text": f"{one.n_done:,} of {one.n_items:,}",
            "share": min(1.0, one.n_done / max(1, one.n_items)),
        },
        "last": (
            "not begun"
            if one.last_at is None
            else {"text": fmt.ago(one.last_at, now), "title": fmt.moment(one.last_at)}
        ),
    }


def mention_row(found: NoteForMe) -> Row:
    """A note that mentions who looks."""
    return {
        "key": str(found.remark_id),
        "object": {
            "text": found.object_id,
            "href": address("review", candidate=found.candidate_id),
        },
        "who": found.who,
        "text": found.text,
        "at": {"text": fmt.ago(found.at), "title": fmt.moment(found.at)},
    }


def share_text(share: Proportion) -> str:
    """A share with its interval; a dash where nothing was counted."""
    return fmt.with_interval(share.value, share.interval) if share.total else fmt.MISSING


def agreement_text(found: Agreement) -> str:
    """A coefficient with its interval."""
    if found.value != found.value:
        return "not measurable"
    return fmt.with_interval(found.value, (found.low_95, found.high_95))


def grader_row(grader: TeamGrader, *, hides_consensus: bool = False) -> Row:
    """A grader.

    Parameters
    ----------
    hides_consensus : bool, optional
        Whether the estimate by the consensus is kept back: it follows others' grades, and would
        tell of the last one whether they agree.
    """
    seen = (grader.lens_seen, grader.other_seen)
    return {
        "key": str(grader.id),
        "name": {"text": grader.name, "note": "organizer" if grader.role == "organizer" else ""},
        "votes": fmt.count(grader.n_votes),
        "pace": fmt.count(None if grader.per_hour is None else round(grader.per_hour)),
        "repeats": _counted(grader.repeats),
        "lenses": _counted(grader.gold_lenses),
        "others": _counted(grader.gold_non_lenses),
        "model": _model(seen, hides=hides_consensus),
    }


def _model(seen: tuple[float, float], *, hides: bool) -> str | dict[str, str]:
    if hides:
        return {"text": fmt.MISSING, "title": KEPT_BACK}
    return fmt.MISSING if seen[0] != seen[0] else f"{seen[0]:.2f} / {seen[1]:.2f}"


def _counted(share: Proportion) -> dict[str, str]:
    text = share_text(share)
    return {"text": text, "title": f"{share.found:,} of {share.total:,}: {text}"}


def pair_row(pair: GraderPair) -> Row:
    """Two graders."""
    return {
        "key": f"{pair.first}/{pair.second}",
        "pair": f"{pair.first} – {pair.second}",
        "n": fmt.count(pair.kappa.n),
        "kappa": agreement_text(pair.kappa),
    }


def coverage_row(found: Coverage) -> Row:
    """A catalog."""
    return {
        "key": found.catalog,
        "catalog": found.catalog,
        "graded": fmt.count(found.n_graded),
        "several": fmt.count(found.n_several),
        "share": {
            "text": fmt.percent(found.n_graded / max(found.n_candidates, 1)),
            "share": found.n_graded / max(found.n_candidates, 1),
        },
    }


def list_row(entry: ConsensusEntry, ensemble: str, picture: str = "") -> Row:
    """A candidate of the consensus list; ``picture``: address of its stamp."""
    found = entry.consensus
    return {
        "key": str(entry.candidate.id),
        "object": {
            "text": entry.candidate.object_id,
            "href": address("review", ensemble=ensemble, candidate=entry.candidate.id),
            "picture": picture,
        },
        "state": {"text": found.state, "chip": _CHIPS[found.state]},
        "posterior": fmt.with_interval(found.posterior, (found.low_95, found.high_95)),
        "votes": fmt.count(found.n_votes),
        "needed": "" if found.state != "open" else fmt.count(found.votes_needed),
        "said": ", ".join(f"{name} {grade}" for name, grade in entry.grades),
    }


def disagreement_row(entry: QueueEntry, object_id: str, ensemble: str, picture: str = "") -> Row:
    """A candidate that graders disagree about; ``picture``: address of its stamp."""
    return {
        "key": str(entry.candidate_id),
        "object": {
            "text": object_id,
            "href": address("review", ensemble=ensemble, candidate=entry.candidate_id),
            "picture": picture,
        },
        "why": entry.why.removeprefix("graders differ: "),
    }


def round_row(found: Round, *, forbidden: str = "", kept_back: bool = False) -> Row:
    """A round of the loop.

    Parameters
    ----------
    forbidden : str, optional
        Why who is signed in may not promote it.
    kept_back : bool, optional
        Whether what follows from grades of today is kept back, while a blind session is open.
    """
    top = share_text(found.top)
    tpr10 = metric_text(found.metrics["tpr10"]) if "tpr10" in found.metrics else fmt.MISSING
    difference = found.differences.get("tpr10", {})
    promote = action(
        "promote", "Promote", "Rank all pages and open queues by it", forbidden=forbidden
    )
    return {
        "key": found.ensemble,
        "number": str(found.number),
        "ensemble": {
            "text": found.ensemble,
            "note": "promoted" if found.promoted else "",
            "href": address("score", ensemble=found.ensemble),
        },
        "labels": f"{found.labels:,} ({found.lenses:,})" if found.number else fmt.MISSING,
        "tpr10": {"text": tpr10, "title": found.metrics_on},
        "change": fmt.MISSING if not difference else _change(difference),
        "top": {"text": fmt.MISSING, "title": KEPT_BACK}
        if kept_back
        else {
            "text": top,
            "title": f"{found.top.total:,} of {found.n_top:,} have an answer, those that it "
            "learned from among them",
        },
        "added": {"text": fmt.MISSING, "title": KEPT_BACK}
        if kept_back
        else {"text": f"{found.added:,} of {found.graded:,}", "title": "Lenses, of graded"},
        "act": {"actions": [] if found.promoted else [promote]},
    }


def _change(difference: dict[str, float | None]) -> str:
    value, low, high = (difference.get(k) for k in ("value", "low_95", "high_95"))
    if value is None or low is None or high is None:
        return "not measurable"
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]".replace("-", "−")
