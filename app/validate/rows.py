"""Lines of the tables of the Validate page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import Row, action, column
from lensing_core.store.bulk_moves import BulkMoveSummary
from lensing_core.store.confirmations import ConfirmationRecord
from lensing_core.store.follow_up import FollowUpRecord
from lensing_core.store.stages import CheckedPoint, StagedCandidate
from lensing_core.store.tables import CHECK_STATES
from lensing_core.yields import Yield

if TYPE_CHECKING:
    from lensing_core.crossmatch.archives import ArchiveFinding

STAGE_TEXTS = {
    "detection": "Ranked by an ensemble, not yet inspected",
    "triage": "For inspection by people",
    "validation": "Archives, colors, models, redshifts",
    "confirmation": "Awaits spectra, or has them",
    "rejected": "Rejected with a reason",
}
STAGE_COLUMNS = [
    column("stage", "Stage", width="112px"),
    column("count", "Candidates", align="right", width="92px"),
    column("yields", "Expected lenses", align="right", width="122px", help_text="By the rates"),
    column("what", "Candidates here are"),
]
CANDIDATE_COLUMNS = [
    column("object", "Candidate", width="24%"),
    column("score", "Score", align="right", width="70px", help_text="Calibrated probability"),
    column("consensus", "Consensus", align="right", width="88px", help_text="P(lens) of graders"),
    column("test", "Lens test", width="92px"),
    column("outcome", "Record", width="128px", help_text="Confirmation entered by a person"),
    column("moved", "Moved by"),
]
MOVE_COLUMNS = [
    column("move", "Move", width="34%"),
    column("n", "Candidates", align="right", width="92px"),
    column("who", "By"),
    column("act", "", align="right", width="120px"),
]
CHECK_COLUMNS = [
    column("asks", "Point", width="34%", align="wrap"),
    column("state", "State", width="126px"),
    column("text", "Finding", align="wrap"),
    column("who", "By", width="68px"),
]
RECORD_COLUMNS = [
    column("outcome", "Outcome", width="120px"),
    column("z", "z lens, source", width="112px"),
    column("spectrum", "Spectrum", align="wrap"),
    column("reference", "Reference", align="wrap"),
    column("who", "Entered by", width="120px"),
]
FOLLOW_UP_COLUMNS = [
    column("night", "Night", width="92px"),
    column("instrument", "Instrument", width="24%"),
    column("outcome", "Outcome", width="128px"),
    column("gave", "Became", width="152px"),
    column("note", "Note", align="wrap"),
    column("who", "Entered by", width="104px"),
]
ARCHIVE_COLUMNS = [
    column("source", "Source", width="19%"),
    column("n", "Found", align="right", width="70px"),
    column("text", "Highest-ranked", align="wrap"),
    column("at", "Asked", width="110px"),
]
OUTCOME_TEXTS = {
    "lens": "Confirmed lens",
    "not_lens": "Confirmed non-lens",
    "withdrawn": "Withdrawn",
}
FOLLOW_UP_TEXTS = {
    "inconclusive": "Inconclusive",
    "lens": "Confirmed lens",
    "not_lens": "Not a lens",
}
_GAVE = {
    "confirmation": "confirmation record",
    "grade": "grade X of the person who entered it",
    "": "no label",
}
OUTCOME_CHIPS = {"lens": "success", "not_lens": "bad", "withdrawn": ""}
TEST_TEXTS = {
    "supports": "supports",
    "no_lens": "no lens",
    "unclear": "unclear",
    "failed": "failed",
}
CHECK_TEXTS = {state: state.replace("_", " ") for state in CHECK_STATES}


def stage_row(stage: str, n: int, expected: Yield | None) -> Row:
    """A stage."""
    text = fmt.MISSING
    if expected is not None:
        text = f"{fmt.number(expected.expected)} ± {fmt.number(expected.deviation, digits=2)}"
    return {
        "key": stage,
        "stage": stage.capitalize(),
        "count": fmt.count(n),
        "yields": text,
        "what": STAGE_TEXTS[stage],
    }


def candidate_row(found: StagedCandidate, ensemble: str) -> Row:
    """A candidate of a stage."""
    candidate, score = found.ranked.candidate, found.ranked.score
    moved = {"text": "not moved yet", "tone": "muted"}
    if found.moved_at is not None:
        who = found.moved_by or "the program"
        moved = {"text": who, "note": fmt.ago(found.moved_at), "title": fmt.moment(found.moved_at)}
    return {
        "key": str(candidate.id),
        "object": {
            "text": candidate.object_id,
            "title": f"{candidate.object_id} in {found.catalog}: open in Review",
            "href": address("review", ensemble=ensemble, candidate=candidate.id),
        },
        "score": fmt.MISSING if score is None else fmt.number(score.probability),
        "consensus": fmt.MISSING if found.consensus is None else fmt.number(found.consensus),
        "test": TEST_TEXTS.get(found.lens_test, fmt.MISSING),
        "outcome": _outcome(found.outcome) if found.outcome else fmt.MISSING,
        "moved": moved,
    }


def _outcome(outcome: str) -> dict[str, str]:
    return {"text": OUTCOME_TEXTS[outcome], "chip": OUTCOME_CHIPS[outcome]}


def move_row(move: BulkMoveSummary, *, forbidden: str = "") -> Row:
    """A bulk move, with its undo."""
    undo = action("undo", "Undo", "Move back those that nobody has moved since")
    if forbidden:
        undo = action("undo", "Undo", forbidden=forbidden)
    undone = f"{fmt.count(move.n_back)} moved back"
    return {
        "key": str(move.id),
        "move": {"text": f"{move.source} → {move.target}", "title": rule_text(move.rule)},
        "n": fmt.count(move.n),
        "who": {
            "text": move.grader,
            "note": fmt.ago(move.at),
            "title": fmt.moment(move.at),
        },
        "act": {"text": undone} if move.n_back is not None else {"actions": [undo]},
    }


def rule_text(rule: dict[str, object]) -> str:
    """A stored rule in words."""
    parts = [f"at most {rule['most']}"]
    if rule["probability_min"]:
        parts.append(f"score from {rule['probability_min']}")
    if rule["consensus_min"] is not None:
        parts.append(f"consensus from {rule['consensus_min']}")
    if rule["lens_test"]:
        parts.append(f"lens test: {TEST_TEXTS[str(rule['lens_test'])]}")
    ranges = rule["ranges"]
    for limit in ranges if isinstance(ranges, list | tuple) else ():
        low, high = (limit[end] for end in ("low", "high"))
        bounds = " ".join(
            f"{word} {value}" for word, value in (("from", low), ("to", high)) if value is not None
        )
        parts.append(f"{fmt.words(limit['name']).lower()} {bounds}")
    return ", ".join(parts)


def check_row(point: CheckedPoint) -> Row:
    """A point of a checklist."""
    return {
        "key": point.item,
        "asks": {"text": point.asks, "note": point.stage},
        "state": {
            "label": point.asks,
            "value": CHECK_TEXTS[point.state],
            "options": list(CHECK_TEXTS.values()),
        },
        "text": point.text,
        "who": "" if point.at is None else {"text": point.grader, "title": fmt.moment(point.at)},
    }


def archive_row(finding: ArchiveFinding) -> Row:
    """Entries of an archive."""
    answered = {"text": finding.text or "nothing"}
    return {
        "key": finding.source,
        "source": finding.source,
        "n": fmt.MISSING if finding.problem else fmt.count(finding.n),
        "text": {"text": finding.problem, "tone": "bad" if finding.asked else "muted"}
        if finding.problem
        else answered,
        "at": ""
        if finding.at is None
        else {"text": fmt.ago(finding.at), "title": fmt.moment(finding.at)},
    }


def follow_up_row(record: FollowUpRecord, k: int) -> Row:
    """An observation."""
    chips = {**OUTCOME_CHIPS, "inconclusive": ""}
    return {
        "key": str(k),
        "night": record.night.isoformat(),
        "instrument": record.instrument,
        "outcome": {"text": FOLLOW_UP_TEXTS[record.outcome], "chip": chips[record.outcome]},
        "gave": _GAVE[record.gave],
        "note": record.note,
        "who": {
            "text": record.grader,
            "note": fmt.ago(record.at),
            "title": fmt.moment(record.at),
        },
    }


def record_row(record: ConfirmationRecord, k: int) -> Row:
    """A confirmation record."""
    known = record.evidence
    redshifts = [fmt.MISSING if z is None else f"{z:.4f}" for z in (known.z_lens, known.z_source)]
    return {
        "key": str(k),
        "outcome": {**_outcome(known.outcome), "title": known.note},
        "z": fmt.MISSING if known.outcome == "withdrawn" else ", ".join(redshifts),
        "spectrum": known.spectrum or known.note,
        "reference": known.reference,
        "who": {
            "text": record.grader,
            "note": fmt.ago(record.at),
            "title": fmt.moment(record.at),
        },
    }
