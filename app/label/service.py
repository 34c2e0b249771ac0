"""Answers to the Label page's script, from the database, outside Bokeh's connection.

Stateless but for a cache of views, which follow from the database: a server that was killed and
started again goes on where the other stopped.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.viewer.candidates import catalog_to_json
from lens_triage.app.viewer.reference_rows import references_to_json
from lensing_core.consensus import REJECT_REASONS
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.labeling import GraderMetrics, GraderView, Outcome, open_grader_view, record
from lensing_core.labeling.grader_view import (
    Response,
    SessionCutout,
    SessionProgress,
    progress_of,
    remaining,
    retired,
    skipped,
)
from lensing_core.labeling.summary import metrics_of
from lensing_core.store import Session
from lensing_core.store.candidates import object_names
from lensing_core.store.catalogs import catalogs_by_id, get_catalog
from lensing_core.store.graders import get_grader, keep_preferences, workspace_secret
from lensing_core.store.label_sessions import answers_of, get_session, queue_fingerprint
from lensing_core.store.references import references_for_session
from lensing_core.store.score_context import probabilities_of
from lensing_core.store.tables import Catalog
from lensing_core.store.votes import grades_of

PAGE = 200
MOST_AT_ONCE = 500
_HISTORY = 300
_DESKS_KEPT = 32
_PICTURES_KEPT = 20_000
_STEP = 5
_GEOMETRY = ("bands", "rgb_bands", "size_px", "size_arcsec", "rendered", "rendering", "looks")
_MAX_PREFERENCES = 20_000


class LabelService:
    """Answers graders; one for each server."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._views: OrderedDict[tuple[Any, ...], GraderView] = OrderedDict()
        self._pictures: OrderedDict[tuple[str, str, int], tuple[str, int, bool]] = OrderedDict()
        self._lock = Lock()

    def view(self, session: Session, session_id: str, grader: SignedIn) -> GraderView:
        """A grader's view of a session; see :func:`~lensing_core.labeling.open_grader_view`."""
        key = (session_id, grader.id, *queue_fingerprint(session, session_id))
        with self._lock:
            found = self._views.get(key)
            if found is not None:
                self._views.move_to_end(key)
                return found
        secret = workspace_secret(self._context.workspace)
        made = open_grader_view(session, secret, session_id, grader.id)
        with self._lock:
            self._views[key] = made
            while len(self._views) > _DESKS_KEPT:
                self._views.popitem(last=False)
        return made

    def start(self, session_id: str, grader: SignedIn) -> dict[str, Any]:
        """Everything that the view shows first."""
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            found = get_session(session, session_id)
            progress = progress_of(session, view)
            stored = get_grader(session, grader.id)
            return {
                "session": {
                    "id": found.id,
                    "name": found.name,
                    "open": found.status == "open",
                    "blind": view.options.blind,
                    "feedback": view.options.feedback,
                    "lens_test": view.options.lens_test,
                    "tutorial": any(cutout.kind == "tutorial" for cutout in view.cutouts[:1]),
                },
                "grader": {"id": grader.id, "name": grader.name},
                "scheme": view.scheme.to_json(),
                "reasons": REJECT_REASONS,
                "preferences": stored.preferences,
                "geometries": self._geometries(session, view),
                "history": self._history(session, view, progress),
                **self._queue(session, view, progress, -1),
                "figures": self._metrics(session, view, progress),
            }

    def queue(self, session_id: str, grader: SignedIn, after: int) -> dict[str, Any]:
        """The cutouts to grade that come after one of a number, with how many are left."""
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            return self._queue(session, view, progress_of(session, view), after)

    def skipped(self, session_id: str, grader: SignedIn) -> list[dict[str, Any]]:
        """The cutouts that the grader skipped and that still need a grade."""
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            progress = progress_of(session, view)
            cutouts = skipped(view, progress, retired(session, view))
            return self._with_responses(session, view, progress, cutouts)

    def metrics(self, session_id: str, grader: SignedIn) -> dict[str, Any]:
        """Own metrics: pace, agreement on repeats, skill on gold."""
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            return self._metrics(session, view, progress_of(session, view))

    def references(self, session_id: str, grader: SignedIn) -> list[dict[str, Any]]:
        """Known lenses and others to compare with; none is a cutout of an open session."""
        with self._context.database.session() as session:
            self.view(session, session_id, grader)  # for those who may grade it
            return references_to_json(references_for_session(session, session_id))

    def record(
        self,
        here: AppContext,
        session_id: str,
        grader: SignedIn,
        events: Sequence[Any],
    ) -> dict[str, Any]:
        """Write events of a grader who is signed in ``here``; what is returned is committed.

        ``written`` lists the UUIDs that are in the log; ``refused`` says by UUID why an event
        never will be (``#3`` for the third of the list where it has no UUID). One that is refused
        keeps none of the others out.

        Raises
        ------
        BadInputError
            If they are too many.
        """
        if len(events) > MOST_AT_ONCE:
            raise BadInputError(f"{len(events)} events: give up to {MOST_AT_ONCE} at once.")
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)  # before others have to wait
        with acting(here, "grade") as (session, person):
            if person is None or person.id != grader.id:
                raise PolicyError("Somebody else has signed in in this browser.")
            outcomes = record(session, view, events)
        return {
            "written": [outcome.uuid for outcome in outcomes if not outcome.refused],
            "refused": {o.uuid: o.refused for o in outcomes if o.refused},
            "feedback": _feedback(view, outcomes) if view.options.feedback else {},
        }

    @staticmethod
    def keep_preferences(here: AppContext, preferences: Mapping[str, Any]) -> None:
        """Store keys and the like with who is signed in ``here``."""
        if len(str(preferences)) > _MAX_PREFERENCES:
            raise BadInputError("These preferences are too long to be stored.")
        with acting(here, "keep_preferences") as (session, person):
            if person is not None:
                keep_preferences(session, person.id, preferences)

    def picture(self, session_id: str, token: str, grader: SignedIn) -> tuple[str, int, bool]:
        """Catalog, index and blindness of a cutout: what its name stands for never changes."""
        key = (session_id, token, grader.id)
        with self._lock:
            if key in self._pictures:
                return self._pictures[key]
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            cutout = view.cutout(token)
            name = get_catalog(session, cutout.catalog_id).name
        found = (name, cutout.cutout_index, view.options.blind)
        with self._lock:
            self._pictures[key] = found
            while len(self._pictures) > _PICTURES_KEPT:
                self._pictures.popitem(last=False)
        return found

    def to_test(self, session_id: str, token: str, grader: SignedIn) -> int:
        """Candidate of a cutout whose lens test a grader asks for.

        Raises
        ------
        PolicyError
            If the session is graded without lens tests.
        """
        with self._context.database.session() as session:
            view = self.view(session, session_id, grader)
            if not view.options.lens_test:
                raise PolicyError("This session is graded without lens tests.")
            return view.cutout(token).candidate_id

    # -- parts of answers --------------------------------------------------------------------------

    def _geometries(self, session: Session, view: GraderView) -> list[dict[str, Any]]:
        """Return what is the same for all cutouts of a kind; gold has those of the queue."""
        catalogs = _catalogs(session, view)
        kinds = {key: _geometry(catalog) for key, catalog in catalogs.items()}
        distinct: list[dict[str, Any]] = []
        for kind in kinds.values():
            if kind not in distinct:
                distinct.append(kind)
        return [{**kind, "id": k, "name": f"~{view.session_id}"} for k, kind in enumerate(distinct)]

    def _items(
        self, session: Session, view: GraderView, cutouts: Sequence[SessionCutout]
    ) -> list[dict[str, Any]]:
        kinds = [
            {name: kind[name] for name in _GEOMETRY} for kind in self._geometries(session, view)
        ]
        place = {
            key: kinds.index(_geometry(catalog))
            for key, catalog in _catalogs(session, view).items()
        }
        seen = {} if view.options.blind else _seen(session, view, cutouts)
        return [
            {
                "token": cutout.token,
                "number": cutout.number,
                "kind": place[cutout.catalog_id],
                **seen.get(cutout.candidate_id, {}),
            }
            for cutout in cutouts
        ]

    def _queue(
        self, session: Session, view: GraderView, progress: SessionProgress, after: int
    ) -> dict[str, Any]:
        left = remaining(view, progress, retired(session, view))
        cutouts = [cutout for cutout in left if cutout.number > after][:PAGE]
        return {
            "items": self._items(session, view, cutouts),
            "n_left": len(left),
            "n_done": len(progress.responses),
        }

    def _history(
        self, session: Session, view: GraderView, progress: SessionProgress
    ) -> list[dict[str, Any]]:
        """Return what was done last, the oldest first."""
        done = sorted(progress.responses, key=lambda key: progress.responses[key].id)
        cutouts = {cutout.key: cutout for cutout in view.cutouts}
        latest = [cutouts[key] for key in done[-_HISTORY:] if key in cutouts]
        return self._with_responses(session, view, progress, latest)

    def _with_responses(
        self,
        session: Session,
        view: GraderView,
        progress: SessionProgress,
        cutouts: Sequence[SessionCutout],
    ) -> list[dict[str, Any]]:
        """Cutouts with the grader's response to each."""
        return [
            {
                **item,
                "response": _response_to_json(progress.responses[cutout.key]),
                "flagged": cutout.candidate_id in progress.flagged,
            }
            for item, cutout in zip(self._items(session, view, cutouts), cutouts, strict=True)
        ]

    def _metrics(
        self, session: Session, view: GraderView, progress: SessionProgress
    ) -> dict[str, Any]:
        grader = get_grader(session, view.grader_id)
        metrics = metrics_of(grader, progress, answers_of(session, view.session_id))
        return metrics_to_json(metrics, hide=not view.options.feedback)


def metrics_to_json(metrics: GraderMetrics, *, hide: bool) -> dict[str, Any]:
    """Metrics of a grader; ``hide`` where they might tell which cutout was gold or a repeat.

    Hidden fractions are told at every fifth object only, and not from fewer.
    """

    def shown(fraction: Any) -> dict[str, Any] | None:
        if not fraction.total or (hide and fraction.total % _STEP):
            return None
        return dict(fraction.to_json())

    return {
        "n_done": metrics.n_done,
        "n_skipped": metrics.n_skipped,
        "n_flagged": metrics.n_flagged,
        "seconds": metrics.seconds,
        "recent_seconds": metrics.recent_seconds,
        "repeats": shown(metrics.repeats),
        "gold_lenses": shown(metrics.gold_lenses),
        "gold_non_lenses": shown(metrics.gold_non_lenses),
    }


def _geometry(catalog: Catalog) -> dict[str, Any]:
    known = catalog_to_json(catalog)
    return {name: known[name] for name in _GEOMETRY}


def _catalogs(session: Session, view: GraderView) -> dict[int, Catalog]:
    return catalogs_by_id(session, {cutout.catalog_id for cutout in view.cutouts})


def _seen(
    session: Session, view: GraderView, cutouts: Sequence[SessionCutout]
) -> dict[int, dict[str, Any]]:
    """Return what graders of a session that is not blind see of each object."""
    why = {cutout.candidate_id: cutout.why for cutout in cutouts}
    scores = probabilities_of(session, view.ensemble_id, why)
    seen: dict[int, dict[str, Any]] = {
        key: {"object_id": name, "why": why[key], "score": scores.get(key), "votes": []}
        for key, name in object_names(session, why).items()
    }
    for given in grades_of(session, why):
        if given.grader_id != view.grader_id:
            seen[given.candidate_id]["votes"].append([given.grader, given.grade])
    return seen


def _response_to_json(response: Response) -> dict[str, Any]:
    return {
        "uuid": response.uuid,
        "kind": response.kind,
        "grade": response.grade,
        "reject_reason": response.reject_reason,
        "comment": response.comment,
    }


def _feedback(view: GraderView, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Class of each gold object and whether the grade was right (None: undecided), by UUID."""
    told = {}
    for outcome in outcomes:
        cutout = outcome.cutout
        if cutout is not None and cutout.answer is not None and outcome.graded:
            told[outcome.uuid] = {
                "answer": cutout.answer,
                "right": None if outcome.is_lens is None else outcome.is_lens == cutout.answer,
                "explanation": cutout.explanation,
            }
    return told
