"""Labeling sessions from settings: the Label page and the command line make them here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import param

from lens_triage.training.settings import RunSettings
from lensing_core.acquisition import STRATEGIES, QueueEntry, QueueRequest, choose_queue
from lensing_core.consensus import SCHEMES, Grade, Scheme
from lensing_core.errors import BadInputError
from lensing_core.labeling import NewSession, SessionOptions, create_session
from lensing_core.labeling.options import MAX_FRACTION
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import ids_of_objects
from lensing_core.store.catalogs import find_catalogs
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.query_json import saved_query
from lensing_core.store.ranking import RankingQuery
from lensing_core.store.ranking_facets import find_filter
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace

LIST = "list"
_VERDICTS = {"lens": (1, 0.9), "open": (None, 0.3), "not": (0, 0.05)}


class SessionSettings(RunSettings):
    """Choose candidates to grade, and how they are graded."""

    kind = "session"
    groups: ClassVar = {
        "Queue": ("session", "strategy", "ensemble", "catalogs", "n", "scheme", "graders"),
        "Special queues and grades": ("saved_filter", "objects", "keep_graded", "grades"),
        "Conditions": (
            *("gold_fraction", "gold_catalog", "repeat_fraction", "target_votes", "seed"),
            *("blind", "shuffled", "feedback", "lens_test"),
        ),
    }

    session = param.String(default="session", doc="Name of the session.")
    strategy: Any = param.Selector(
        default="top", objects=[*STRATEGIES, LIST], doc="How its candidates are chosen."
    )
    ensemble = param.String(default="", doc="Whose scores are meant; empty: no scores.")
    catalogs = param.List(default=[], item_type=str, doc="Catalogs to choose from; empty: all.")
    n = param.Integer(default=500, bounds=(1, 50_000), doc="Candidates to grade.")
    saved_filter = param.String(
        default="", doc="Saved filter, for the strategy filter; empty: the ranking as it is."
    )
    objects = param.List(
        default=[], item_type=str, doc="Object ids, for the strategy list; in this order."
    )
    keep_graded = param.Boolean(
        default=False, doc="Candidates that somebody has graded may be chosen again."
    )

    scheme: Any = param.Selector(
        default="abcx",
        objects=[*SCHEMES, "custom"],
        doc="Grades to choose from. Grades of visibility (of arcs) are no votes, and have no "
        "gold: Evaluate gives recall by them.",
    )
    grades = param.List(
        default=[],
        item_type=str,
        doc="Of a custom scheme, best first: KEY:TITLE:VERDICT with verdict lens, open or not.",
    )
    graders = param.List(default=[], item_type=str, doc="Names of graders; empty: everybody.")
    target_votes = param.Integer(
        default=0,
        bounds=(0, 100),
        doc="Votes after which a candidate is shown to nobody else; 0: everybody grades all.",
    )

    blind = param.Boolean(default=True, doc="Graders see no scores, names or other votes.")
    shuffled = param.Boolean(default=True, doc="Each grader has an order of their own.")
    gold_fraction = param.Number(
        default=0.1,
        bounds=(0, MAX_FRACTION),
        doc="Share of known lenses and non-lenses, shown blind to measure the graders.",
    )
    gold_catalog = param.String(
        default="",
        doc="Catalog of injected lenses (of a selection function) that the known lenses are taken "
        "from, however faint; empty: of any catalog, with arcs of S/N 15 or more.",
    )
    repeat_fraction = param.Number(
        default=0.05,
        bounds=(0, MAX_FRACTION),
        doc="Share of candidates shown twice to each grader, without notice.",
    )
    feedback = param.Boolean(default=False, doc="Say after known objects whether it was right.")
    lens_test = param.Boolean(
        default=False, doc="Graders may fit a quick lens model to a cutout (key m)."
    )
    seed = param.Integer(default=1, bounds=(0, 2**31 - 1), doc="Same seed, same orders.")

    def title(self) -> str:
        return f"Session {self.session}"

    def check(self) -> None:
        self.options()
        self.grading()

    def options(self) -> SessionOptions:
        """The conditions."""
        return SessionOptions(
            self.blind,
            self.shuffled,
            self.seed,
            self.gold_fraction if self.grading().gives_votes else 0.0,
            self.repeat_fraction,
            self.feedback,
            self.target_votes,
            self.lens_test,
            self.gold_catalog,
        )

    def grading(self) -> Scheme:
        """The scheme; raises BadInputError for one that makes no sense."""
        if self.scheme != "custom":
            return SCHEMES[self.scheme]
        grades = []
        for text in self.grades:
            parts = [part.strip() for part in text.split(":")]
            if len(parts) != 3 or parts[2] not in _VERDICTS:
                raise BadInputError(
                    f"Grade {text!r}: write KEY:TITLE:VERDICT with verdict lens, open or not."
                )
            grades.append(Grade(parts[0], parts[1], *_VERDICTS[parts[2]]))
        return Scheme("custom", "Custom", tuple(grades))


def make_session(
    workspace: Workspace,
    settings: SessionSettings,
    created_by: int | None,
    *,
    hides_blind: bool = False,
) -> str:
    """Choose a queue and make the session; returns its id.

    Parameters
    ----------
    hides_blind : bool, optional
        Whether the queue follows no grades of candidates in open blind sessions.

    Raises
    ------
    BadInputError, NotFoundError
        One sentence on what does not fit.
    """
    settings.check()
    with open_database(workspace).session() as session:
        ensemble = find_ensemble(session, settings.ensemble) if settings.ensemble else None
        if settings.strategy == LIST:
            entries = _listed(session, settings)
        else:
            query = _query(session, settings, ensemble)
            query = replace(query, hides_blind=hides_blind)
            request = QueueRequest(
                settings.strategy,
                settings.n,
                query,
                seed=settings.seed,
                keep_graded=settings.keep_graded or settings.strategy in ("graders", "experts"),
                # How visible arcs are is asked of known lenses above all.
                keep_labeled=not settings.grading().gives_votes,
            )
            entries = choose_queue(session, workspace, request)
        if not entries:
            raise BadInputError(
                "No candidate is left for this queue: choose another strategy or catalog, or keep "
                "graded ones."
            )
        new = NewSession(
            settings.session,
            entries,
            settings.to_json(),
            settings.grading(),
            settings.options(),
            ensemble.id if ensemble else None,
            settings.graders,
        )
        return create_session(session, new, created_by).id


def _catalog_ids(session: Session, settings: SessionSettings) -> tuple[int, ...]:
    return tuple(catalog.id for catalog in find_catalogs(session, settings.catalogs))


def _query(session: Session, settings: SessionSettings, ensemble: Ensemble | None) -> RankingQuery:
    catalogs = _catalog_ids(session, settings)
    if settings.strategy == "filter" and settings.saved_filter:
        saved = find_filter(session, settings.saved_filter)
        return saved_query(saved.query, saved.grader_id)
    if ensemble is None:
        return RankingQuery(catalog_ids=catalogs, sort="object_id", descending=False)
    return RankingQuery(ensemble_id=ensemble.id, catalog_ids=catalogs)


def _listed(session: Session, settings: SessionSettings) -> list[QueueEntry]:
    """The candidates of a list of object ids, in its order."""
    catalogs = _catalog_ids(session, settings)
    wanted = list(dict.fromkeys(settings.objects))
    known = ids_of_objects(session, wanted, catalogs)
    ids_of = {name: known.get(name, []) for name in wanted}
    for name, ids in ids_of.items():
        if len(ids) != 1:
            what = "is in several catalogs; name one" if ids else "does not exist"
            raise BadInputError(f"Object {name!r} {what}.")
    return [QueueEntry(ids[0], "listed by name") for ids in ids_of.values()]
