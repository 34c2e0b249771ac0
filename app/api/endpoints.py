"""The table of the API: which handler answers an address, what it takes and what it sends.

The routes of the server, the description (:mod:`lens_triage.app.api.openapi`) and the check of
parameters are made from it; who may ask stands in :data:`lens_triage.app.permissions.ROUTES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lens_triage.app.api import forms, handlers
from lens_triage.app.api.base import MOST_ROWS, ROWS, ApiHandler
from lens_triage.app.api.scoring import MOST_POSTED, ScoreHandler
from lens_triage.app.permissions import Route, find_route
from lensing_core.store.ranking import LABEL_STATES, SORT_KEYS
from lensing_core.store.ranking_query import (
    CONSENSUS_STATES,
    FLAG_STATES,
    MATCH_STATES,
    RANGE_COLUMNS,
    SCALES,
    VOTE_STATES,
)
from lensing_core.store.tables import STAGES

BASE = "/api/v1"
_ID = r"([^/]*)"


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query.

    Attributes
    ----------
    name, description : str
    choices : tuple of str
        Empty: any text.
    many : bool
        Whether it may be given several times.
    kind : {'string', 'integer', 'number'}
    """

    name: str
    description: str
    choices: tuple[str, ...] = ()
    many: bool = False
    kind: str = "string"


@dataclass(frozen=True)
class Endpoint:
    """An address with one of its methods.

    Attributes
    ----------
    path : str
        Below :data:`BASE`; ``{id}`` stands for a part of it.
    method : {'GET', 'POST'}
    handler : type
    summary, description : str
    reply : type or tuple of str
        Form of the JSON reply, or the media types of another.
    parameters : tuple of Parameter
    body : type, tuple of str or None
        Form of the JSON body, or the media types of another.
    """

    path: str
    method: str
    handler: type[ApiHandler]
    summary: str
    reply: type | tuple[str, ...]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type | tuple[str, ...] | None = None

    @property
    def pattern(self) -> str:
        """Regular expression of the address, as it is registered."""
        return f"{BASE}{self.path}".replace("{id}", _ID)

    @property
    def route(self) -> Route:
        """The row of the table of permissions."""
        found = find_route(f"{BASE}{self.path}".replace("{id}", "1"))
        if found is None:
            raise LookupError(f"{self.pattern} has no row in the table of routes")
        return found


def _limit(default: int) -> Parameter:
    return Parameter(
        "limit", f"Most rows, 1 to {MOST_ROWS}; {default} if not given.", kind="integer"
    )


_AFTER = Parameter("after", "What the page before said as next.")
_ENSEMBLE = Parameter("ensemble", "Name of the ensemble; the one that pages take if not given.")
_LIST = (
    _ENSEMBLE,
    Parameter("catalog", "Names of catalogs.", many=True),
    Parameter("sort", "Order; score if not given.", SORT_KEYS),
    Parameter("order", "Direction.", ("asc", "desc")),
    Parameter("min", "Least probability, 0 to 1.", kind="number"),
    Parameter("max", "Greatest probability, 0 to 1.", kind="number"),
    Parameter("stage", "Stages of validation.", tuple(STAGES), many=True),
    Parameter("label", "Imported label.", LABEL_STATES),
    Parameter("object", "A part of the object's id."),
    Parameter("scale", "Scale of lenses.", SCALES, many=True),
    Parameter(
        "range",
        f"NAME:LOW:HIGH with either end open; names: {', '.join(RANGE_COLUMNS)}.",
        many=True,
    ),
    Parameter("votes", "Who has graded.", VOTE_STATES),
    Parameter("grade", "Grades, of those whom votes names.", many=True),
    Parameter("consensus", "State of the consensus.", CONSENSUS_STATES, many=True),
    Parameter("tag", "Tags; any of them.", many=True),
    Parameter("tags", "Give all for candidates that have all of the tags.", ("all",)),
    Parameter("note", "Words of a note."),
    Parameter("flag", "Flagged for discussion by whom.", FLAG_STATES),
    Parameter("cone", "Right ascension, declination and radius, as '150.1 2.2 30s'."),
    Parameter("match", "Result of the newest cross-matches.", MATCH_STATES),
    Parameter("selection", "Id of a selection kept in Review."),
    _limit(ROWS),
    _AFTER,
)
_ARRAY = ("application/octet-stream",)
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/catalogs", "GET", handlers.CatalogsHandler, "Catalogs", forms.CatalogsReply),
    Endpoint("/ensembles", "GET", handlers.EnsemblesHandler, "Ensembles", forms.EnsemblesReply),
    Endpoint(
        "/candidates",
        "GET",
        handlers.CandidatesHandler,
        "A page of candidates",
        forms.CandidatesReply,
        "The list of Review with its filters and orders. Pages follow one another by next and "
        "after, at a cost that does not grow with their number.",
        _LIST,
    ),
    Endpoint(
        "/candidates/{id}",
        "GET",
        handlers.CandidateHandler,
        "One candidate",
        forms.OneCandidateReply,
        parameters=(_ENSEMBLE,),
    ),
    Endpoint(
        "/candidates/{id}/scores",
        "GET",
        handlers.ScoresHandler,
        "Scores of a candidate by each ensemble and its members",
        forms.ScoresReply,
    ),
    Endpoint(
        "/candidates/{id}/pixels",
        "GET",
        handlers.PixelsHandler,
        "Cutout of a candidate",
        ("application/octet-stream", "application/fits"),
        "Little-endian float32 (band, y, x) as .npy, or FITS with an image extension a band and "
        "its WCS. NaN where there is no data.",
        (Parameter("format", "npy if not given.", ("npy", "fits")),),
    ),
    Endpoint(
        "/candidates/{id}/labels",
        "GET",
        handlers.HistoryHandler,
        "Grades, notes, tags and moves of a candidate",
        forms.HistoryReply,
        "Others' grades are kept back while the candidate is graded blind.",
    ),
    Endpoint(
        "/labels",
        "GET",
        handlers.LabelsHandler,
        "The log of label events",
        forms.EventsReply,
        "Everybody's for organizers, one's own for others.",
        (_limit(ROWS), Parameter("after", "Id of the event before the first.", kind="integer")),
    ),
    Endpoint(
        "/labels",
        "POST",
        handlers.LabelsHandler,
        "Write one label event under the name of the token",
        forms.LabelReply,
        "It goes through the checks of Review. Sent again with its UUID it does nothing.",
        body=forms.LabelBody,
    ),
    Endpoint(
        "/runs",
        "GET",
        handlers.RunsHandler,
        "A page of runs",
        forms.RunsReply,
        parameters=(
            Parameter("kind", "Kind of run, as score."),
            Parameter("status", "As succeeded."),
            _limit(ROWS),
            _AFTER,
        ),
    ),
    Endpoint("/runs/{id}", "GET", handlers.RunHandler, "State of a run", forms.RunReply),
    Endpoint(
        "/runs/{id}/log",
        "GET",
        handlers.LogHandler,
        "Last lines of a run's log",
        forms.LogReply,
        parameters=(_limit(200),),
    ),
    Endpoint(
        "/score",
        "POST",
        ScoreHandler,
        "Score cutouts that are sent; nothing is kept",
        forms.PostedScoresReply,
        f"The body is a .npy array (n, band, y, x) of numbers, or a .npz archive with it as flux, "
        f"up to {MOST_POSTED:,} bytes; no pickle is read. Cutouts may be larger than what a model "
        "looks at, and may have more bands.",
        (
            _ENSEMBLE,
            Parameter("bands", "Names of the bands in the order of the array, as g,r,i."),
            Parameter("survey", "Fills in pixel scale and zero points, as ps1."),
            Parameter("pixel_scale_arcsec", "Side of a pixel.", kind="number"),
            Parameter("zero_points_mag", "AB magnitude of one unit by band, as 27,27,27."),
            Parameter("pixel_kind", "flux if not given.", ("flux", "rendered")),
        ),
        body=_ARRAY,
    ),
)


def parameters_by_method(handler: type[ApiHandler], pattern: str) -> dict[str, frozenset[str]]:
    """Names of the parameters that an address takes, by method."""
    known = {
        each.method: frozenset(one.name for one in each.parameters)
        for each in ENDPOINTS
        if each.handler is handler and each.pattern == pattern
    }
    return known | ({"HEAD": known["GET"]} if "GET" in known else {})


def addresses() -> dict[str, type[Any]]:
    """Handlers by pattern, each once."""
    return {each.pattern: each.handler for each in ENDPOINTS}
