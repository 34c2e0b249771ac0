"""Handlers of the API: candidates, scores, pixels, labels and runs."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import numpy as np
from pydantic import TypeAdapter

from lens_triage.app.acting import acting, hides_blind, name_of, permit
from lens_triage.app.api.base import ApiHandler, read_place, write_place
from lens_triage.app.api.forms import (
    CandidateReply,
    CandidatesReply,
    CatalogsReply,
    EnsemblesReply,
    EventsReply,
    HistoryReply,
    LabelBody,
    LabelReply,
    LogReply,
    OneCandidateReply,
    RunReply,
    RunsReply,
    ScoresReply,
)
from lens_triage.app.api.replies import (
    candidate_reply,
    catalog_reply,
    ensemble_reply,
    ensemble_scores,
    one_candidate_reply,
    run_reply,
)
from lens_triage.app.http.forms import check_form
from lens_triage.app.http.identity import SignedIn, read_grader
from lens_triage.app.review.exporting import cutout_source, read_list
from lens_triage.app.review.inspection import told_history
from lens_triage.app.widgets.paths import cleaned, sees_paths, told, told_run
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.export.pictures import cutout_fits
from lensing_core.labeling.exporting import event_rows
from lensing_core.labeling.reviewing import record_in_review
from lensing_core.store import Session
from lensing_core.store.audit import record
from lensing_core.store.candidates import get_candidate
from lensing_core.store.catalogs import catalogs_by_id, catalogs_with_candidates
from lensing_core.store.details import candidate_details
from lensing_core.store.ensembles import (
    by_preference,
    ensembles_by_age,
    find_ensemble,
    get_ensemble,
)
from lensing_core.store.export_rows import export_candidates
from lensing_core.store.list_marks import list_marks
from lensing_core.store.ranking import (
    Cursor,
    RankedCandidate,
    RankingQuery,
    cursor_of,
    fetch_page,
    load_rows,
)
from lensing_core.store.runs import RunFilter, fetch_log, fetch_page_of_runs, get_run

_LABEL = TypeAdapter(LabelBody)
_ANY_ORDER = RankingQuery(sort="object_id", descending=False)
_NOT_WRITTEN = "The server could not answer; its log says why."
_PIXELS = {"npy": "application/octet-stream", "fits": "application/fits"}
_LINES = 200


class CatalogsHandler(ApiHandler):
    """``GET /api/v1/catalogs``."""

    async def get(self) -> None:
        """List catalogs."""

        def work() -> CatalogsReply:
            self.asked()
            with self.context.database.session() as session:
                found = catalogs_with_candidates(session, archived=True)
                return {"catalogs": [catalog_reply(one) for one in found]}

        await self.answer(work)


class EnsemblesHandler(ApiHandler):
    """``GET /api/v1/ensembles``."""

    async def get(self) -> None:
        """List ensembles whose manifests are in order."""

        def work() -> EnsemblesReply:
            self.asked()
            with self.context.database.session() as session:
                found = by_preference(ensembles_by_age(session))
                return {"ensembles": [ensemble_reply(one) for one in found if not one.problem]}

        await self.answer(work)


class _OfCandidates(ApiHandler):
    """Base of the handlers that tell of candidates."""

    def person(self) -> SignedIn | None:
        """Person who asks; None where one person works alone."""
        return read_grader(self.context, self)

    def replies(self, session: Session, rows: list[RankedCandidate]) -> list[CandidateReply]:
        """Rows as they are told to who asks."""
        person = self.person()
        ids = [row.candidate.id for row in rows]
        sees_all = not hides_blind(self.here)
        marks = list_marks(session, ids, person.id if person else None, sees_all=sees_all)
        catalogs = catalogs_by_id(session, {row.candidate.catalog_id for row in rows})
        return [
            candidate_reply(
                row.candidate,
                row.score,
                marks[row.candidate.id],
                catalogs[row.candidate.catalog_id].name,
            )
            for row in rows
        ]


class CandidatesHandler(_OfCandidates):
    """``GET /api/v1/candidates``."""

    async def get(self) -> None:
        """List candidates, a page at a time."""

        def work() -> CandidatesReply:
            words = self.asked()
            limit, after = self.limit(words), self.one(words, "after")
            person = self.person()
            listed = {k: v for k, v in words.items() if k not in ("limit", "after")}
            address = read_list(
                self.context,
                listed,
                person.id if person else None,
                hides=hides_blind(self.here),
            )
            cursor = None
            if after:
                value, key = read_place(after, (float, int, str, type(None)), (int,))
                cursor = Cursor(value, key)
            with self.context.database.session() as session:
                page = fetch_page(session, address.query, after=cursor, limit=limit)
                ensemble = address.query.ensemble_id
                last = page.rows[-1].cursor if page.rows and page.has_after else None
                return {
                    "ensemble": None if ensemble is None else get_ensemble(session, ensemble).name,
                    "candidates": self.replies(session, list(page.rows)),
                    "next": None if last is None else write_place([last.value, last.candidate_id]),
                }

        await self.answer(work)


class CandidateHandler(_OfCandidates):
    """``GET /api/v1/candidates/ID``."""

    async def get(self, text: str) -> None:
        """Tell all of one candidate."""

        def work() -> OneCandidateReply:
            words = self.asked()
            person = self.person()
            address = read_list(self.context, words, person.id if person else None)
            with self.context.database.session() as session:
                candidate = get_candidate(session, self.key(text, "Candidate"))
                query = address.query
                place = cursor_of(session, _ANY_ORDER, candidate.id)
                (row,) = self.replies(session, load_rows(session, query, [place]))
                details = candidate_details(session, [candidate.id], query.ensemble_id)
                reply = one_candidate_reply(row, details[candidate.id])
            if not sees_paths(self.here):
                reply["columns"] = cleaned(reply["columns"])
            return reply

        await self.answer(work)


class ScoresHandler(ApiHandler):
    """``GET /api/v1/candidates/ID/scores``."""

    async def get(self, text: str) -> None:
        """Tell the scores of a candidate by all ensembles and their members."""

        def work() -> ScoresReply:
            self.asked()
            with self.context.database.session() as session:
                candidate = get_candidate(session, self.key(text, "Candidate"))
                return {"id": candidate.id, "scores": ensemble_scores(session, candidate.id)}

        await self.answer(work)


class PixelsHandler(ApiHandler):
    """``GET /api/v1/candidates/ID/pixels``."""

    async def get(self, text: str) -> None:
        """Send a cutout, (band, y, x) in float32 as ``.npy``, or as FITS."""

        def work() -> tuple[str, bytes]:
            kind = self.one(self.asked(), "format", "npy")
            if kind not in _PIXELS:
                raise BadInputError(f"format {kind[:20]!r}: choose one of {', '.join(_PIXELS)}.")
            stream = io.BytesIO()
            with self.context.database.session() as session:
                candidate = get_candidate(session, self.key(text, "Candidate"))
                (row,) = export_candidates(session, _ANY_ORDER, [candidate.id])
                source = cutout_source(session, self.context.workspace)
            if kind == "fits":
                cutout_fits(row, source).writeto(stream)
            else:
                np.save(stream, source.pixels(row).astype("<f4"), allow_pickle=False)
            return kind, stream.getvalue()

        try:
            kind, content = await self.pool.run(work)
        except Exception as error:  # noqa: BLE001 - logged; the program gets one sentence
            self.refuse_for(error, _NOT_WRITTEN)
            return
        self.set_header("Cache-Control", "no-store")
        name = f'attachment; filename="candidate-{int(text)}.{kind}"'
        self.set_header("Content-Disposition", name)
        self.reply(content, _PIXELS[kind])


class HistoryHandler(_OfCandidates):
    """``GET /api/v1/candidates/ID/labels``."""

    async def get(self, text: str) -> None:
        """Tell what people did with a candidate."""

        def work() -> HistoryReply:
            self.asked()
            person, sees_all = self.person(), not hides_blind(self.here)
            with self.context.database.session() as session:
                candidate = get_candidate(session, self.key(text, "Candidate"))
                found = told_history(session, candidate.id, person, sees_all=sees_all)
            votes = cast(Any, found.votes)
            return {
                "id": candidate.id,
                "votes": votes,
                "entries": found.entries,
                "blind": found.blind,
            }

        await self.answer(work)


class LabelsHandler(_OfCandidates):
    """``/api/v1/labels``: the log of labels read, and one event written."""

    async def get(self) -> None:
        """List events: everybody's to who may export them, else one's own."""

        def work() -> EventsReply:
            words = self.asked()
            limit, text = self.limit(words), self.one(words, "after", "0")
            after = self.key(text, "after")
            grader_id = self._whose(first=after == 0)
            with self.context.database.session() as session:
                found = list(event_rows(session, after=after, limit=limit + 1, grader_id=grader_id))
            events = found[:limit]
            return {
                "events": events,
                "next": events[-1]["id"] if len(found) > limit else None,
            }

        await self.answer(work)

    def _whose(self, *, first: bool) -> int | None:
        """Grader whose events are told; None: everybody's. Reading those is recorded once."""
        try:
            permit(self.here, "export_grades")
        except PolicyError:
            return self.grader().id
        if first:
            with acting(self.here, "export_grades") as (session, person):
                by = f", by the API token {person.token_label}" if person else ""
                record(session, "grades exported", name_of(person), f"by the API{by}", self.address)
        return None

    async def post(self) -> None:
        """Write one event, by the constructor that all label events go through."""

        def work() -> LabelReply:
            self.asked()
            sent = self.body()
            check_form(_LABEL, sent)
            event = {"uuid": str(uuid4()), "given_at": datetime.now(UTC).isoformat(), **sent}
            with acting(self.here, "grade") as (session, person):
                if person is None:
                    raise PolicyError("A grade needs the name of a grader.")
                if named := event.pop("ensemble", None):
                    event["ensemble_id"] = find_ensemble(session, named).id
                (outcome,) = record_in_review(session, person.id, [event], source="api")
            if outcome.refused:
                raise BadInputError(outcome.refused)
            return {"uuid": outcome.uuid}

        await self.answer(work)


class RunsHandler(ApiHandler):
    """``GET /api/v1/runs``."""

    async def get(self) -> None:
        """List runs, the newest first."""

        def work() -> RunsReply:
            words = self.asked()
            limit, text = self.limit(words), self.one(words, "after")
            chosen = RunFilter(self.one(words, "kind"), self.one(words, "status"))
            after = None
            if text:
                at, key = read_place(text, (str,), (str,))
                try:
                    after = (datetime.fromisoformat(at), key)
                except ValueError:
                    raise BadInputError("after: give what the page before said as next.") from None
            with self.context.database.session() as session:
                runs, total = fetch_page_of_runs(session, chosen, after=after, limit=limit + 1)
            last = runs[limit - 1] if len(runs) > limit else None
            return {
                "runs": [run_reply(told_run(self.here, run)) for run in runs[:limit]],
                "total": total,
                "next": None
                if last is None
                else write_place([last.created_at.isoformat(), last.id]),
            }

        await self.answer(work)


class RunHandler(ApiHandler):
    """``GET /api/v1/runs/ID``."""

    async def get(self, run_id: str) -> None:
        """Tell the state of a run."""

        def work() -> RunReply:
            self.asked()
            with self.context.database.session() as session:
                return run_reply(told_run(self.here, get_run(session, run_id)))

        await self.answer(work)


class LogHandler(ApiHandler):
    """``GET /api/v1/runs/ID/log``."""

    async def get(self, run_id: str) -> None:
        """Tell the last lines of a run's log."""

        def work() -> LogReply:
            last = self.limit(self.asked(), _LINES)
            with self.context.database.session() as session:
                run = get_run(session, run_id)
                lines = fetch_log(session, run.id, last=last)
            return {
                "id": run.id,
                "lines": [
                    {
                        "at": line.at.isoformat(),
                        "level": line.level,
                        "message": told(self.here, line.message),
                    }
                    for line in lines
                ],
            }

        await self.answer(work)
