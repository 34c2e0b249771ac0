"""Label events before they are written: one constructor, one canonical form.

Every way in (Label, Review, imports) builds its events with :func:`build_event`, and
:func:`lensing_core.store.labels.append_events` takes canonical values only: text in Unicode's
composed form (NFC), times in UTC, numbers of one type, JSON without what a database may not keep.
So the hash of an event is the same before it is stored and after it is read, on SQLite and on
PostgreSQL.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from lensing_core.consensus.schemes import REJECT_REASONS, Scheme
from lensing_core.errors import BadInputError
from lensing_core.store.tables import LABEL_EVENT_KINDS

EventKind = Literal["grade", "undo", "skip", "flag", "unflag"]

MAX_COMMENT = 4000
MAX_VIEW = 1000
_MAX_SHOWN_MS = 24 * 3600 * 1000
_MAX_KEY = 2**31 - 1  # of an integer column on PostgreSQL
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(days=1)
_LENGTHS = {"scheme": 32, "grade": 32, "session_id": 40, "source": 64}
_LINE_BREAKS = str.maketrans({"\r": "\n", "\u2028": "\n", "\u2029": "\n"})


@dataclass(frozen=True)
class NewEvent:
    """An event as its client made it; the columns of ``label_event`` explain the fields."""

    uuid: str
    kind: EventKind
    grader_id: int
    candidate_id: int
    scheme: str
    given_at: datetime
    session_id: str | None = None
    grade: str | None = None
    is_lens: int | None = None
    p_lens: float | None = None
    reject_reason: str | None = None
    comment: str = ""
    undoes: str | None = None
    is_repeat: bool = False
    is_gold: bool = False
    source: str = "browser"
    shown_ms: int | None = None
    view: dict[str, Any] = field(default_factory=dict)
    visible: dict[str, Any] = field(default_factory=dict)

    def canonical(self) -> NewEvent:
        """Return the event with every value in the one form that is hashed and stored.

        Raises
        ------
        BadInputError
            If a value has no such form, or the fields contradict each other.
        """
        made = replace(self, **_canonical_fields(self))
        made._check_meaning()
        return made

    def _check_meaning(self) -> None:
        """Raise BadInputError where canonical fields contradict each other."""
        if self.kind not in LABEL_EVENT_KINDS:
            raise BadInputError(
                f"kind {_shown(self.kind)} is unknown: give one of {', '.join(LABEL_EVENT_KINDS)}."
            )
        if (self.kind == "grade") != (self.grade is not None):
            raise BadInputError("a grade, and only a grade, has a grade.")
        if self.grade is None and (self.is_lens is not None or self.p_lens is not None):
            raise BadInputError("is_lens and p_lens go with a grade only.")
        if (self.kind == "undo") != (self.undoes is not None):
            raise BadInputError("an undo, and only an undo, undoes an event.")
        if self.reject_reason is None:
            return
        if self.reject_reason not in REJECT_REASONS:
            raise BadInputError(
                f"reject reason {_shown(self.reject_reason)} is unknown: give one of "
                f"{', '.join(REJECT_REASONS)}."
            )
        if self.grade is None or self.is_lens != 0:
            raise BadInputError(
                f"reject reason {self.reject_reason!r} with grade {self.grade or 'none'}: a reject "
                "reason goes only with a grade that says no lens."
            )


def build_event(
    sent: Mapping[str, Any],
    *,
    scheme: Scheme,
    grader_id: int,
    candidate_id: Any,
    session_id: str | None = None,
    is_repeat: bool = False,
    is_gold: bool = False,
    source: str = "browser",
    visible: Mapping[str, Any] | None = None,
) -> NewEvent:
    """Build a canonical event from what a page sent or a file holds.

    Parameters
    ----------
    sent : mapping
        Unchecked: ``uuid``, ``kind``, ``given_at`` (a datetime, or ISO 8601, with its offset), and
        as the kind wants ``grade``, ``reject_reason``, ``comment``, ``undoes``, ``shown_ms`` and
        ``view``; others are ignored.
    scheme : Scheme
        Says what the grade means.
    grader_id, candidate_id, session_id, is_repeat, is_gold, source, visible
        Known to the program; see the columns of ``label_event``.

    Raises
    ------
    BadInputError
        If a value makes no sense; one sentence that names it.
    """
    key = sent.get("grade")
    grade = None if key is None else scheme.grade(_name(key, "grade"))
    view = sent.get("view")
    return NewEvent(
        uuid=sent.get("uuid", ""),
        kind=sent.get("kind", ""),
        grader_id=grader_id,
        candidate_id=candidate_id,
        session_id=session_id,
        scheme=scheme.name,
        given_at=sent.get("given_at"),  # type: ignore[arg-type]  # canonical() checks all types
        grade=None if grade is None else grade.key,
        is_lens=None if grade is None else grade.is_lens,
        p_lens=grade.p_lens if grade is not None and scheme.gives_votes else None,
        reject_reason=sent.get("reject_reason") or None,
        comment=sent.get("comment") or "",
        undoes=sent.get("undoes"),
        is_repeat=is_repeat,
        is_gold=is_gold,
        source=source,
        shown_ms=sent.get("shown_ms"),
        view={} if view is None else view,
        visible=dict(visible or {}),
    ).canonical()


def _canonical_fields(event: NewEvent) -> dict[str, Any]:
    """Values of the fields in canonical form, each checked alone."""
    check_uuid(event.uuid, "uuid")
    if event.undoes is not None:
        check_uuid(event.undoes, "undoes")
    fields: dict[str, Any] = {
        "kind": canonical_text(event.kind, "kind"),
        "grader_id": _key(event.grader_id, "grader_id"),
        "candidate_id": _key(event.candidate_id, "candidate_id"),
        "given_at": _moment(event.given_at),
        "is_lens": None if event.is_lens is None else _flag(event.is_lens, "is_lens"),
        "p_lens": None if event.p_lens is None else _probability(event.p_lens),
        "comment": _comment(event.comment),
        "is_repeat": bool(_flag(event.is_repeat, "is_repeat")),
        "is_gold": bool(_flag(event.is_gold, "is_gold")),
        "shown_ms": _milliseconds(event.shown_ms),
        "view": _plain_json(event.view, "view", MAX_VIEW),
        "visible": _plain_json(event.visible, "visible", MAX_VIEW),
    }
    for name in ("scheme", "source"):
        fields[name] = _name(getattr(event, name), name)
    for name in ("grade", "session_id"):
        value = getattr(event, name)
        fields[name] = None if value is None else _name(value, name)
    if event.reject_reason is not None:
        fields["reject_reason"] = canonical_text(event.reject_reason, "reject_reason")
    return fields


def check_uuid(value: Any, name: str) -> None:
    """Raise BadInputError unless a value is a UUID as browsers and Python write one."""
    try:
        right = isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        right = False
    if not right:
        raise BadInputError(
            f"{name} {_shown(value)} is no UUID in the usual form: give 36 letters like "
            "123e4567-e89b-12d3-a456-426614174000."
        )


def _shown(value: Any) -> str:
    """A value as an error shows it: short, and nothing that cannot be printed or sent."""
    text = repr(value[:60] if isinstance(value, str) else value) if _is_short(value) else ""
    return text[:80] if text else f"of type {type(value).__name__}"


def _is_short(value: Any) -> bool:
    return value is None or isinstance(value, str | float | bool | datetime) or _is_small(value)


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 2**64


def canonical_text(value: Any, name: str) -> str:
    """Return text in NFC; raises BadInputError for what a database or a file cannot hold."""
    if not isinstance(value, str):
        raise BadInputError(f"{name} {_shown(value)}: give text.")
    for letter in value:
        kind = unicodedata.category(letter)
        if kind == "Cs" or (kind == "Cc" and letter not in "\n\t\r"):
            raise BadInputError(
                f"{name} holds the character U+{ord(letter):04X}, which is no text: leave it out."
            )
    return unicodedata.normalize("NFC", value)


def _name(value: Any, name: str) -> str:
    text, limit = canonical_text(value, name), _LENGTHS[name]
    if not 0 < len(text) <= limit:
        raise BadInputError(f"{name} {_shown(text)}: give 1 to {limit} letters.")
    return text


def _comment(value: Any) -> str:
    if isinstance(value, str) and len(value) > 2 * MAX_COMMENT:
        raise BadInputError(f"the comment has over {MAX_COMMENT} letters.")
    text = canonical_text(value, "comment").replace("\r\n", "\n").translate(_LINE_BREAKS).strip()
    if len(text) > MAX_COMMENT:
        raise BadInputError(f"the comment has over {MAX_COMMENT} letters.")
    return text


def _key(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_KEY:
        raise BadInputError(f"{name} {_shown(value)}: give a whole number from 1 to {_MAX_KEY}.")
    return int(value)


def _flag(value: Any, name: str) -> int:
    if not isinstance(value, int) or value not in (0, 1):
        raise BadInputError(f"{name} {_shown(value)}: give 0 or 1.")
    return int(value)


def _probability(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise BadInputError(f"p_lens {_shown(value)}: give a probability from 0 to 1.")
    return float(value) + 0.0  # -0.0 becomes 0.0


def _milliseconds(value: Any) -> int | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (isinstance(value, float) and not math.isfinite(value)):
        raise BadInputError(f"shown_ms {_shown(value)}: give a number of milliseconds.")
    return int(min(max(value, 0), _MAX_SHOWN_MS))


def _moment(value: Any) -> datetime:
    """The moment in UTC, to the microsecond that both databases keep."""
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise BadInputError(f"given_at {_shown(value)}: give a date and time with its offset.")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # the year 1 or 9999, moved over its edge
        moment = datetime.max.replace(tzinfo=UTC) if moment.year > 1 else _EARLIEST.replace(year=1)
    if moment < _EARLIEST:
        raise BadInputError(f"given_at {_shown(value)}: give a time after {_EARLIEST.year}.")
    if moment > datetime.now(UTC) + CLOCKS_DIFFER:
        raise BadInputError(
            f"given_at {_shown(value)}: the clock of this computer is ahead by over a day."
        )
    return moment


def _plain_json(value: Any, name: str, limit: int) -> dict[str, Any]:
    """An object as JSON gives it back, without NaN, NUL and lone surrogates."""
    if not isinstance(value, dict):
        raise BadInputError(f"{name} {_shown(value)}: give an object.")
    try:
        written = json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True)
        if len(written) > limit:
            raise BadInputError(f"{name}: give an object of at most {limit} letters.")
        canonical = json.loads(written)
    except (TypeError, ValueError, RecursionError):
        raise BadInputError(
            f"{name} holds what is no JSON (NaN, an endless number, or too deep a list): leave it "
            "out."
        ) from None
    made = _json_in_nfc(canonical, name)
    if len(json.dumps(made, ensure_ascii=False)) > limit:  # NFC may be longer
        raise BadInputError(f"{name}: give an object of at most {limit} letters.")
    return dict(made)


def _json_in_nfc(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return canonical_text(value, name)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInputError(f"{name} holds an endless number: leave it out.")
    if isinstance(value, dict):
        return {canonical_text(key, name): _json_in_nfc(part, name) for key, part in value.items()}
    if isinstance(value, list):
        return [_json_in_nfc(part, name) for part in value]
    return value
