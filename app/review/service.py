"""Answers to the review page's script, from the database.

Stateless: each message carries the whole query, so that an answer never depends on which messages
came before, and a page that was reloaded goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lens_triage.app.http.forms import key_in
from lens_triage.app.review.finding import (
    Answer,
    ReviewFinding,
    exports_to_json,
    selection_to_json,
)
from lens_triage.app.review.query import (
    Address,
    cursor_from_json,
    read_address,
)
from lens_triage.app.viewer.candidates import (
    catalog_to_json,
    details_to_json,
    marks_to_json,
    row_to_json,
    scales_to_json,
    truth_to_json,
)
from lens_triage.app.viewer.start import image_start
from lens_triage.app.widgets.paths import cleaned
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store import Session
from lensing_core.store.candidates import get_candidate
from lensing_core.store.catalogs import catalogs_by_id, catalogs_with_candidates
from lensing_core.store.details import candidate_details
from lensing_core.store.ensembles import scored_ensembles, unscored_catalogs
from lensing_core.store.list_marks import list_marks
from lensing_core.store.presence import blind_candidates, sees_blind
from lensing_core.store.query_json import query_from_json, query_to_json
from lensing_core.store.ranking import (
    RankingPage,
    RankingQuery,
    contains,
    count_rows,
    cursor_of,
    fetch_page,
    load_rows,
    rank_of,
)
from lensing_core.store.scale_scores import scale_scores
from lensing_core.store.selections import find_selection
from lensing_core.store.tables import STAGES, Ensemble

PAGE_ROWS = 100
_ROWS_BEFORE = 20  # of a candidate that an address names
_MOST_DETAILS = 50


class ReviewService:
    """Answers the messages of the review page.

    Parameters
    ----------
    grader_id : int or None
        Who reads; None: nobody is signed in.
    additional : mapping
        Answers of the page's panels, by type.
    organizes : bool
        Whether the reader sees what others said of candidates that are graded blind.
    hides_paths : bool
        Whether the reader is not told in which folders files are.
    """

    def __init__(
        self,
        grader_id: int | None = None,
        additional: Mapping[str, Answer] | None = None,
        *,
        organizes: bool = False,
        hides_paths: bool = False,
    ) -> None:
        self._hides_paths = hides_paths
        self._grader_id = grader_id
        self._organizes = organizes
        self._additional = {**ReviewFinding(grader_id).answers, **(additional or {})}

    def start(self, session: Session, arguments: Mapping[str, list[str]]) -> dict[str, Any]:
        """Everything that the page shows first, for the query string of its address."""
        catalogs = catalogs_with_candidates(session, archived=True)
        ensembles = scored_ensembles(session, catalogs=arguments.get("catalog", ()))
        named = next(iter(arguments.get("candidate", [])), "")
        candidate = key_in(named)
        if candidate is not None and "ensemble" not in arguments:
            mine = scored_ensembles(session, candidate)
            ensembles.sort(key=lambda e: e.id not in {m.id for m in mine})
        elif "ensemble" not in arguments and (wanted := arguments.get("catalog")):
            ids = [catalog.id for catalog in catalogs if catalog.name in wanted]
            # rather an ensemble that has scored all of them
            ensembles.sort(key=lambda e: len(unscored_catalogs(session, e.id, ids)))
        address = read_address(arguments, ensembles, catalogs, self._grader_id)
        hides = not self._sees_all(session)
        address = replace(address, query=replace(address.query, hides_blind=hides))
        selection = find_selection(session, address.query.selection)
        if address.query.selection and selection is None:
            left = "The selection in this address has expired; all candidates are shown."
            query = replace(address.query, selection="")
            address = replace(address, query=query, notices=(*address.notices, left))
        return {
            "query": query_to_json(address.query),
            "defaults": query_to_json(read_address({}, ensembles, catalogs).query),
            "ensembles": [ensemble_to_json(e) for e in ensembles],
            "catalogs": [catalog_to_json(catalog) for catalog in catalogs],
            "stages": list(STAGES),
            "exports": exports_to_json(),
            "signed_in": self._grader_id is not None,
            "selection": selection_to_json(selection),
            **image_start(),
            "page": self._page_of_address(session, address),
        }

    def answer(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one message; what it writes is committed with the session.

        Raises
        ------
        LensTriageError
            One sentence for the user.
        """
        own: dict[str, Answer] = {
            "ping": lambda _session, _message: {},
            "page": self._page,
            "count": self._count,
            "rank": self._rank,
            "details": self._details,
            "truth": self._truth,
        }
        answers = {**own, **self._additional}
        kind = message.get("type")
        if kind not in answers:
            raise BadInputError(f"The page asked for {kind!r}, which the server does not know.")
        return {"type": kind, **answers[kind](session, message)}

    def _query(self, session: Session, message: Mapping[str, Any]) -> RankingQuery:
        return query_from_json(
            message["query"], self._grader_id, hides_blind=not self._sees_all(session)
        )

    def _page(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        query = self._query(session, message)
        after = cursor_from_json(message.get("after"))
        before = cursor_from_json(message.get("before"))
        if after is None and before is None:
            return self._page_of_address(
                session, Address(query, message.get("candidate"), ()), quiet=True
            )
        page = fetch_page(session, query, after=after, before=before, limit=PAGE_ROWS)
        return self._page_to_json(session, page)

    def _page_of_address(
        self, session: Session, address: Address, *, quiet: bool = False
    ) -> dict[str, Any]:
        """The page around the candidate of an address, else the first one."""
        query, wanted = address.query, address.candidate_id
        notices = list(address.notices)
        if wanted is not None:
            try:
                return self._page_around(session, query, wanted, notices, quiet=quiet)
            except NotFoundError as error:
                if not quiet:
                    notices.append(f"{error} The first one is shown.")
        page = fetch_page(session, query, limit=PAGE_ROWS)
        return {
            **self._page_to_json(session, page),
            "first_rank": 1,
            "notices": notices,
            "unscored": _unscored(session, query),
        }

    def _page_around(
        self, session: Session, query: RankingQuery, wanted: int, notices: list[str], *, quiet: bool
    ) -> dict[str, Any]:
        cursor = cursor_of(session, query, wanted)
        inside = contains(session, query, wanted)
        if not inside and quiet:
            raise NotFoundError(f"Candidate {wanted} does not pass the filters.")
        before = fetch_page(session, query, before=cursor, limit=_ROWS_BEFORE)
        after = fetch_page(session, query, after=cursor, limit=PAGE_ROWS - _ROWS_BEFORE)
        (here,) = load_rows(session, query, [cursor])
        if not inside:
            notices.append(
                f"{here.candidate.object_id} does not pass the filters in this address; it is "
                "shown at the place that it would have without them."
            )
        page = RankingPage((*before.rows, here, *after.rows), before.has_before, after.has_after)
        return {
            **self._page_to_json(session, page),
            "first_rank": None if before.has_before else 1,
            "selected": wanted,
            "notices": notices,
            "unscored": _unscored(session, query),
        }

    def _page_to_json(self, session: Session, page: RankingPage) -> dict[str, Any]:
        scales = scale_scores(session, [(row.candidate, row.score) for row in page.rows])
        sees_all = self._sees_all(session)
        ids = [row.candidate.id for row in page.rows]
        marks = list_marks(session, ids, self._grader_id, sees_all=sees_all)
        return {
            "rows": [
                row_to_json(row)
                | scales_to_json(scales.get(row.candidate.id))
                | marks_to_json(marks[row.candidate.id])
                for row in page.rows
            ],
            "has_before": page.has_before,
            "has_after": page.has_after,
            "notices": [],
        }

    def _count(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        count = count_rows(session, self._query(session, message))
        return {"n": count.n, "exact": count.exact, "text": str(count)}

    def _rank(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        cursor = cursor_from_json(message["cursor"])
        if cursor is None:
            raise BadInputError("The page asked for a rank without a cursor.")
        return {"rank": rank_of(session, self._query(session, message), cursor)}

    def _details(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        ids = [int(key) for key in message["ids"]][:_MOST_DETAILS]
        found = candidate_details(session, ids, message.get("ensemble_id"))
        catalogs = catalogs_by_id(session, {d.candidate.catalog_id for d in found.values()})
        blind = self._blind(session, ids)
        told = [
            details_to_json(
                details,
                catalogs[details.candidate.catalog_id],
                blind=details.candidate.id in blind,
            )
            for details in found.values()
        ]
        return {"details": cleaned(told) if self._hides_paths else told}

    def _sees_all(self, session: Session) -> bool:
        """Return whether the reader sees what others said of candidates that are graded blind."""
        return sees_blind(session, self._grader_id, organizes=self._organizes)

    def _blind(self, session: Session, ids: list[int]) -> set[int]:
        """Return those candidates whose class is kept from the reader."""
        if self._sees_all(session):
            return set()
        return blind_candidates(session, ids)

    def _truth(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        candidate = get_candidate(session, int(message["id"]))
        if self._blind(session, [candidate.id]):
            raise BadInputError(
                f"{candidate.object_id} is graded blind in an open session; its truth is shown "
                "when that is closed."
            )
        return {"id": candidate.id, "rows": truth_to_json(candidate)}


def ensemble_to_json(ensemble: Ensemble) -> dict[str, Any]:
    """Return what the script needs to know of an ensemble."""
    return {
        "id": ensemble.id,
        "name": ensemble.name,
        "title": ensemble.shown_name,
        "archived": ensemble.archived_at is not None,
    }


def _unscored(session: Session, query: RankingQuery) -> list[int]:
    """Ids of the catalogs of a list that its ensemble has not scored."""
    if query.ensemble_id is None:
        return []
    catalogs = query.catalog_ids or tuple(c.id for c in catalogs_with_candidates(session))
    return unscored_catalogs(session, query.ensemble_id, catalogs)
