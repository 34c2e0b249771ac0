"""Who may do what: the one table of actions and roles.

Looking at pages is no action. What changes something, or shows who gave which grade, goes through
:func:`lens_triage.app.acting.acting` or :func:`lens_triage.app.acting.permit`, which read this
table and look up anew who is signed in. The command line belongs to whoever owns the files, and
asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lensing_core.errors import PolicyError, SignInError

ALONE = "alone"
NOBODY = "nobody"
GRADER = "grader"
ORGANIZER = "organizer"
WHO: Mapping[str, str] = MappingProxyType(
    {
        ALONE: "nobody is signed in, and nobody ever has: one person works alone",
        NOBODY: "nobody is signed in, though the workspace has graders",
        GRADER: "a grader who is signed in",
        ORGANIZER: "an organizer who is signed in",
    }
)

_ALL = frozenset(WHO)
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
        "keep_preferences": Action("keep keys and the like", _NAMED),
        "keep_own_filter": Action("keep filters of their own", _NAMED),
        "delete_own_filter": Action("delete filters of their own", _NAMED),
        # what all see
        "keep_shared_filter": Action("keep filters for all", _NAMED_OR_ALONE),
        "delete_shared_filter": Action("delete filters for all", _NAMED_OR_ALONE),
        "join_votes": Action("run the consensus", _RUNS_THE_SEARCH),
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
        # what only serves the page that is open, and shows nothing that it does not
        "keep_selection": Action("select candidates on a chart or in the gallery", _ALL),
        "export_candidates": Action("export candidates", _ALL),
    }
)


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
    if who in known.may:
        return
    if who in (ALONE, NOBODY):
        does = known.does.replace("their own", "your own")
        raise SignInError(f"Nobody is signed in: sign in (top right) to {does}.")
    raise PolicyError(f"Only an organizer may {known.does}.")
