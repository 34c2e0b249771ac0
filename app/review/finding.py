"""The page's questions about filters: what there is to filter by, cones, saved filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.export import FORMATS
from lensing_core.store import Session
from lensing_core.store.cones import (
    cone_text,
    read_cone,
)
from lensing_core.store.query_json import query_from_json, query_to_json
from lensing_core.store.ranking_facets import (
    delete_filter,
    list_filters,
    read_facets,
    save_filter,
)
from lensing_core.store.selections import candidates_that_exist, keep_selection
from lensing_core.store.tables import Selection

Answer = Callable[[Session, Mapping[str, Any]], dict[str, Any]]


class ReviewFinding:
    """Answers the messages of the filter panel for one grader."""

    def __init__(self, grader_id: int | None) -> None:
        self._grader_id = grader_id
        self.answers: dict[str, Answer] = {
            "facets": self._facets,
            "cone": self._cone,
            "save_filter": self._save,
            "delete_filter": self._delete,
            "keep_selection": self._keep,
        }

    def _facets(self, session: Session, _message: Mapping[str, Any]) -> dict[str, Any]:
        facets = read_facets(session)
        return {
            "grades": list(facets.grades),
            "tags": list(facets.tags),
            "known": facets.known,
            "matched": facets.matched,
            "saved": [
                {
                    "id": kept.id,
                    "name": kept.name,
                    "shared": kept.grader_id is None,
                    "query": kept.query,
                }
                for kept in list_filters(session, self._grader_id)
            ],
        }

    def _cone(self, _session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"cone": cone_text(read_cone(str(message["text"])))}

    def _save(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        shared = bool(message["shared"])
        if not shared and self._grader_id is None:
            raise BadInputError("Sign in to keep filters of your own.")
        # as the page would send it: a filter that makes no sense is not kept
        query = query_to_json(query_from_json(message["query"], self._grader_id))
        save_filter(session, str(message["name"]), query, None if shared else self._grader_id)
        return self._facets(session, message)

    def _delete(self, session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        delete_filter(session, int(message["id"]), self._grader_id)
        return self._facets(session, message)

    @staticmethod
    def _keep(session: Session, message: Mapping[str, Any]) -> dict[str, Any]:
        ids = candidates_that_exist(session, message["ids"])
        return {"selection": selection_to_json(keep_selection(session, ids, "Gallery"))}


def selection_to_json(selection: Selection | None) -> dict[str, Any] | None:
    """A selection as the page's chip shows it."""
    if selection is None:
        return None
    return {"id": selection.id, "title": selection.title, "n": selection.n}


def exports_to_json() -> list[dict[str, Any]]:
    """The formats of the export menu."""
    return [
        {"name": name, "title": one.title, "most": one.most, "suffix": one.suffix}
        for name, one in FORMATS.items()
    ]
