"""Permissions: the one table of actions, addresses and messages by role.

- :data:`ACTIONS`: what changes something, or shows who gave which grade. It goes through
  :func:`lens_triage.app.acting.acting` or :func:`lens_triage.app.acting.permit`, which look up anew
  who is signed in.
- :data:`ROUTES`: the addresses of both processes, pages and their websockets among them. A rule
  before all handlers (:mod:`lens_triage.app.http.allowing`) refuses what is in no row.
- :data:`PAGES`: the pages, which a websocket asks for too.
- :data:`MESSAGES`: what the page of Review asks, and the action that each takes.

The command line belongs to whoever owns the files, and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lensing_core.errors import PolicyError, SignInError

ALONE = "alone"
NOBODY = "nobody"
READER = "reader"
GRADER = "grader"
ORGANIZER = "organizer"
WHO: Mapping[str, str] = MappingProxyType(
    {
        ALONE: "nobody is signed in, and nobody ever has: one person works alone",
        NOBODY: "nobody is signed in, though the workspace has graders",
        READER: "a reader who is signed in: sees candidates, and changes nothing",
        GRADER: "a grader who is signed in",
        ORGANIZER: "an organizer who is signed in",
    }
)

_ALL = frozenset(WHO)
_SIGNED_IN = frozenset({READER, GRADER, ORGANIZER})
_NAMED = frozenset({GRADER, ORGANIZER})
_NAMED_OR_ALONE = frozenset({ALONE, GRADER, ORGANIZER})
_RUNS_THE_SEARCH = frozenset({ALONE, ORGANIZER})
_ORGANIZES = frozenset({ORGANIZER})


@dataclass(frozen=True)
class Action:
    """An action, worded to follow "Sign in to" and "may", and who may take it."""

    does: str
    may: frozenset[str]


# Everything that goes on under a name needs that name. What others see, and what costs hours of
# the machine, is an organizer's, or the one person's who works alone.
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        # runs: import, simulate, inject, train, score, cross-match, retrain, fine-tune
        "start_run": Action("start runs", _RUNS_THE_SEARCH),
        "cancel_run": Action("cancel runs", _RUNS_THE_SEARCH),
        "resume_run": Action("resume runs", _RUNS_THE_SEARCH),
        # ensembles
        "promote": Action("promote an ensemble", _RUNS_THE_SEARCH),
        "take_back": Action("take back the promotion of an ensemble", _RUNS_THE_SEARCH),
        # what there is: renamed, archived or deleted
        "manage_catalogs": Action("rename, archive or delete catalogs", _RUNS_THE_SEARCH),
        "manage_ensembles": Action("rename, archive or delete ensembles", _RUNS_THE_SEARCH),
        "manage_sessions": Action("rename, archive or delete labeling sessions", _RUNS_THE_SEARCH),
        # labeling sessions
        "create_session": Action("make a labeling session", _NAMED_OR_ALONE),
        "start_tutorial": Action("open the tutorial", _NAMED),
        "close_own_session": Action("close or reopen a session of their own", _NAMED_OR_ALONE),
        "close_session": Action("close or reopen a session of somebody else", _RUNS_THE_SEARCH),
        # under one's name
        "grade": Action("grade", _NAMED),
        "note": Action("write notes", _NAMED),
        "tag": Action("tag candidates", _NAMED),
        "move_stage": Action("move candidates to another stage", _NAMED),
        "answer_check": Action("answer points of checklists", _NAMED),
        "confirm": Action("enter confirmation records", _NAMED),
        "report_observation": Action("report observations", _NAMED),
        "ask_archives": Action("ask archives about candidates", _NAMED_OR_ALONE),
        "run_lens_test": Action("run lens tests", _NAMED_OR_ALONE),
        "score_posted": Action("score cutouts that they send", _NAMED_OR_ALONE),
        "keep_preferences": Action("keep keys and the like", _NAMED),
        "keep_own_filter": Action("keep filters of their own", _NAMED),
        "delete_own_filter": Action("delete filters of their own", _NAMED),
        # what all see
        "keep_shared_filter": Action("keep filters for all", _NAMED_OR_ALONE),
        "delete_shared_filter": Action("delete filters for all", _NAMED_OR_ALONE),
        "run_consensus": Action("run the consensus", _RUNS_THE_SEARCH),
        "move_by_rule": Action("move candidates by a rule", _ORGANIZES),
        "import_grades": Action("import grades", _RUNS_THE_SEARCH),
        "export_grades": Action("export who gave which grade", _RUNS_THE_SEARCH),
        "back_up": Action("back up the database", _RUNS_THE_SEARCH),
        "connect_programs": Action("connect to other programs (SAMP)", _NAMED_OR_ALONE),
        "send_to_programs": Action("send to other programs (SAMP)", _NAMED_OR_ALONE),
        # people
        "reset_passphrase": Action("reset passphrases of others", _ORGANIZES),
        "set_role": Action("change roles", _ORGANIZES),
        "set_active": Action("activate or deactivate names", _ORGANIZES),
        "invite": Action("invite people", _ORGANIZES),
        "untie_account": Action("take accounts of other services from names", _ORGANIZES),
        "read_audit": Action("read the audit log", _ORGANIZES),
        "make_own_token": Action("make API tokens of their own", _SIGNED_IN),
        "revoke_own_token": Action("revoke API tokens of their own", _SIGNED_IN),
        "revoke_token": Action("revoke API tokens of others", _ORGANIZES),
        # what only serves the page that is open, and shows nothing that it does not
        "keep_selection": Action("select candidates on a chart or in the gallery", _ALL),
        "export_candidates": Action("export candidates", _ALL),
    }
)


@dataclass(frozen=True)
class Route:
    """An address, and who may ask it.

    Attributes
    ----------
    pattern : str
        Regular expression of the whole path, without the prefix; as it is registered.
    methods : tuple of str
        GET stands for HEAD, too.
    does : str
        Worded as that of :class:`Action`.
    may : frozenset of str
        Keys of :data:`WHO`.
    before_sign_in : bool
        Whether it is answered before a sign-in, where the server asks for one.
    by_token : bool
        Whether programs may ask it by an API token.
    """

    pattern: str
    methods: tuple[str, ...]
    does: str
    may: frozenset[str] = _ALL
    before_sign_in: bool = False
    by_token: bool = False

    def matches(self, path: str) -> bool:
        """Return whether it is the address of a path."""
        return re.fullmatch(self.pattern, path) is not None


_GET, _POST = ("GET",), ("POST",)
_NO_READER = _ALL - {READER}
PAGES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "overview": _ALL,
        "catalogs": _ALL,
        "train": _ALL,
        "evaluate": _ALL,
        "score": _ALL,
        "review": _ALL,
        "label": _NO_READER,
        "crossmatch": _ALL,
        "team": _NO_READER,
        "validate": _ALL,
        "runs": _ALL,
        "settings": _ALL,
        "help": _ALL,
    }
)
"""Pages by the end of their address, and who may open each."""


def _titled(name: str) -> str:
    """A page as it is called."""
    return "Cross-match" if name == "crossmatch" else name.capitalize()


_OF_PAGES = tuple(
    route
    for name, may in PAGES.items()
    for route in (
        Route(rf"/{name}/?", _GET, f"open the page {_titled(name)}", may),
        Route(rf"/{name}/ws", _GET, f"connect to the page {_titled(name)}", may),
    )
)
ROUTES: tuple[Route, ...] = (
    # signing in and out
    Route("/sign-in", _POST, "sign in", before_sign_in=True),
    Route("/sign-in-with", _POST, "sign in by another service", before_sign_in=True),
    Route("/sign-in/[a-z0-9-]+", _GET, "come back from another service", before_sign_in=True),
    Route("/join", ("GET", "POST"), "accept an invitation", before_sign_in=True),
    Route("/sign-out", _POST, "sign out"),
    Route("/passphrase", _POST, "change their own passphrase"),
    Route("/who", _GET, "ask who they are", by_token=True),
    # pictures, and what is told of candidates
    Route("/tiles/~([0-9a-f]+)/([0-9a-f]+)(/info)?", _GET, "see cutouts of sessions", _NO_READER,
          by_token=True),
    Route("/pixels/~([0-9a-f]+)/([0-9a-f]+)", _GET, "see pixels of sessions", _NO_READER,
          by_token=True),
    Route("/tiles/([^/]*)/([^/]*?)(/info)?", _GET, "see cutouts", by_token=True),
    Route("/pixels/([^/]*)/([^/]*)", _GET, "see pixels", by_token=True),
    Route("/attention/([^/]*)/([^/]*)/([^/]*?)(/info)?", _GET, "see why a member scored so",
          by_token=True),
    Route("/wide-field/([^/]*)", _GET, "see the sky around candidates", by_token=True),
    Route("/export/([a-z0-9]+)", _GET, "export candidates", by_token=True),
    Route("/follow-up/([a-z0-9]+)", _GET, "download plans of observations", by_token=True),
    Route("/reports/([^/]*)/([a-z0-9]+)", _GET, "download reports", by_token=True),
    Route("/replays/([^/]*)", _GET, "see again what graders saw", by_token=True),
    Route("/review/ask", _POST, "ask about candidates", by_token=True),
    # grading: each event is an action, too
    Route("/review/events", _POST, "grade, tag and note in Review", _NO_READER, by_token=True),
    Route("/labeling/preferences", _POST, "keep keys and the like", _NO_READER),
    Route("/labeling/([0-9a-f]+)/queue", _GET, "see the queue of a session", _NO_READER,
          by_token=True),
    Route("/labeling/([0-9a-f]+)/skipped", _GET, "see what they skipped", _NO_READER,
          by_token=True),
    Route("/labeling/([0-9a-f]+)/events", _POST, "grade in a session", _NO_READER, by_token=True),
    Route("/labeling/([0-9a-f]+)/metrics", _GET, "see their own pace", _NO_READER, by_token=True),
    Route("/labeling/([0-9a-f]+)/references", _GET, "see lenses to compare with", _NO_READER,
          by_token=True),
    Route("/lens-test", _POST, "see lens tests", by_token=True),
    Route("/lens-model", _POST, "see lens models", by_token=True),
    Route("/lens-models/([^/]*)", _GET, "download lens models", by_token=True),
    Route("/lens-test/~([0-9a-f]+)", _POST, "see lens tests of a session", _NO_READER,
          by_token=True),
    # for other programs; what writes needs a token, whoever works not alone
    Route("/api/v1", _GET, "see what the API answers", by_token=True),
    Route("/api/v1/openapi.json", _GET, "read the description of the API", by_token=True),
    Route("/api/v1/catalogs", _GET, "list catalogs", by_token=True),
    Route("/api/v1/ensembles", _GET, "list ensembles", by_token=True),
    Route("/api/v1/candidates", _GET, "list candidates", by_token=True),
    Route("/api/v1/candidates/([^/]*)", _GET, "see candidates", by_token=True),
    Route("/api/v1/candidates/([^/]*)/scores", _GET, "see scores", by_token=True),
    Route("/api/v1/candidates/([^/]*)/pixels", _GET, "see pixels", by_token=True),
    Route("/api/v1/candidates/([^/]*)/labels", _GET, "see labels of candidates", by_token=True),
    Route("/api/v1/labels", ("GET", "POST"), "read and write labels", by_token=True),
    Route("/api/v1/runs", _GET, "list runs", by_token=True),
    Route("/api/v1/runs/([^/]*)", _GET, "see runs", by_token=True),
    Route("/api/v1/runs/([^/]*)/log", _GET, "read logs of runs", by_token=True),
    Route("/api/v1/score", _POST, "score cutouts that they send", _NAMED_OR_ALONE, by_token=True),
    # pages, their websockets and scripts
    Route("/", _GET, "open the first page"),
    Route("/static/(.*)", _GET, "load scripts and styles"),
    Route("/chart-pdf/([a-z0-9]+)", _GET, "save charts as PDF"),
    *_OF_PAGES,
)  # fmt: skip
"""Addresses of both processes; the first that matches a path counts."""

_LOOK = ""
MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("ping", "facets", "page", "count", "rank", "details", "truth"), _LOOK),
        **dict.fromkeys(("score_context", "context", "history", "cone", "histogram"), _LOOK),
        "references": _LOOK,
        **dict.fromkeys(("chart", "chart_near", "chart_place", "samp_state"), _LOOK),
        "chart_select": "keep_selection",
        "keep_selection": "keep_selection",
        "save_filter": "keep_own_filter",  # or keep_shared_filter, as the message says
        "delete_filter": "delete_own_filter",  # likewise
        "samp_connect": "connect_programs",
        "samp_disconnect": "connect_programs",
        "samp_table": "send_to_programs",
        "samp_image": "send_to_programs",
        "samp_position": "send_to_programs",
    }
)
"""Messages of Review by type, and the action that each takes; '': it only asks."""


def find_route(path: str) -> Route | None:
    """Return the row of a path, without the prefix; None where there is none."""
    return next((route for route in ROUTES if route.matches(path)), None)


def check(action: str, who: str) -> None:
    """Raise PolicyError unless somebody of that role may do it; without a name, SignInError.

    Parameters
    ----------
    action : str
        A key of :data:`ACTIONS`.
    who : str
        A key of :data:`WHO`.
    """
    known = ACTIONS[action]
    _check(known.does, known.may, who)


def check_page(name: str, who: str) -> None:
    """Raise PolicyError unless somebody of that role may open a page of :data:`PAGES`."""
    _check(f"open the page {_titled(name)}", PAGES.get(name, frozenset()), who)


def check_route(route: Route, who: str) -> None:
    """Raise PolicyError unless somebody of that role may ask an address."""
    _check(route.does, route.may, who)


def _check(does: str, may: frozenset[str], who: str) -> None:
    if who in may:
        return
    if who in (ALONE, NOBODY):
        does = does.replace("their own", "your own")
        raise SignInError(f"Nobody is signed in: sign in (top right) to {does}.")
    if who == READER and GRADER in may:
        raise PolicyError(f"A reader may not {does}; ask an organizer for another role.")
    raise PolicyError(f"Only an organizer may {does}.")
