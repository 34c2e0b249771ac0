"""No part of the app writes but by an action of the table: what is new without one fails here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lens_triage import app
from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.permissions import ACTIONS
from lensing_core.errors import PolicyError
from lensing_core.store import open_database
from lensing_core.store.graders import hold_graders, list_graders, sign_in
from lensing_core.store.tables import Grader, Remark, SavedFilter

ROOT = Path(app.__file__).parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}
# Of the layers below, called by pages with a workspace: they read. What writes is in app/acts.py.
READ = {
    "AttentionSource", "CutoutSource", "LabelService", "NeighborIndex", "TileSource", "WideField",
    "check_realism", "choose_queue", "compare_ensembles", "cutout_source",
    "embedding_map", "estimate_search", "evaluate", "evaluate_real", "exists",
    "explain_candidate", "feature_importance", "folder_sizes", "get_survey", "list_backups",
    "load_member", "load_surveys", "measure_selection", "model_folder", "open_scorer",
    "plan_follow_up", "preview", "read_demo",
    "read_instruments", "read_schedule", "refusal", "report_folder", "run_sizes", "samp_link",
    "schedule_text", "session_key", "str", "workspace_secret", "write_plan",
}  # fmt: skip
# Of the program itself, at its start and beside the pages.
PROGRAM = {"main.py", "cli.py", "front/main.py", "overseer.py"}
WRITABLE = {"acting.py", "context.py", "http/identity.py", "front/api_tokens.py"}
FILES = {"write_text", "write_bytes", "unlink", "mkdir", "rename", "rmtree", "touch", "symlink_to"}
# Files for one answer, in the cache.
SOCKET = {"front/inside.py", "front/pages.py"}
"""The socket between both processes of the server, in a folder of its own."""
WRITE_FILES = {
    "review/exporting.py", "review/samp.py", "team/label_files.py", "validate/exporting.py",
    "validate/reporting.py", *SOCKET,
}  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """All calls, with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


@pytest.fixture
def context(workspace) -> AppContext:
    with open_database(workspace).session() as session:
        sign_in(session, "Ana")
    return AppContext.of(workspace)


WRITES = {
    "a row": lambda s: (s.add(SavedFilter(name="x", grader_id=None, query={})), s.flush()),
    "a change of a row": lambda s: (setattr(s.get_one(Grader, 1), "role", "grader"), s.flush()),
    "a removal": lambda s: (s.delete(s.get_one(Grader, 1)), s.flush()),
    "an update": lambda s: s.execute(sa.update(Grader).values(role="grader")),
    "an insert": lambda s: s.connection().execute(sa.insert(Remark), [{"kind": "note"}]),
    "a delete": lambda s: s.execute(sa.delete(Grader)),
    "a lock": hold_graders,
    "text": lambda s: s.execute(sa.text("  delete from grader")),
    "a table": lambda s: s.execute(sa.text("DROP TABLE grader")),
    "text after WITH": lambda s: s.execute(
        sa.text("WITH x AS (SELECT 1) UPDATE grader SET role = 'grader'")
    ),
    "what only the end writes": lambda s: setattr(s.get_one(Grader, 1), "role", "grader"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_database_that_pages_are_given_is_for_reading(context, write):
    with pytest.raises(PolicyError, match="may read"), context.database.session() as session:
        write(session)
    with context.database.session() as session:
        assert [(one.name, one.role) for one in list_graders(session)] == [("Ana", "organizer")]


def test_reading_by_any_statement_goes_on(context):
    with context.database.session() as session:
        assert session.get_one(Grader, 1).name == "Ana"
        within = sa.select(Grader.name).cte("updates")
        assert session.scalars(sa.select(within.c.name)).all() == ["Ana"]
        with session.begin_nested():
            session.scalar(sa.text("PRAGMA user_version"))


def test_a_session_for_an_action_writes(workspace):
    context = AppContext.of(workspace)
    with acting(context, "keep_shared_filter") as (session, _):
        session.add(SavedFilter(name="x", grader_id=None, query={}))
    with context.database.session() as session:
        assert session.scalar(sa.select(SavedFilter.name)) == "x"


def test_only_actions_and_sign_ins_open_the_database_for_writing():
    names = {"open_database", "from_url", "Database", "create_engine", "sessionmaker"}
    opened = {place for place, tree in SOURCES.items() for name, _ in calls(tree) if name in names}
    assert opened == WRITABLE
    asked = {
        place for place, tree in SOURCES.items() for name, _ in calls(tree) if name == "writable"
    }
    assert asked == {"acting.py", "acts.py"}


def test_pages_give_the_workspace_to_what_reads_alone():
    given = {
        (place, name)
        for place, tree in SOURCES.items()
        for name, call in calls(tree)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        if ast.unparse(argument).rpartition(".")[2] == "workspace"
    }
    free = {"acts.py", *WRITABLE, *PROGRAM}
    unknown = {(place, name) for place, name in given if place not in free and name not in READ}
    assert not unknown, "does it write? then make it an action (app/permissions.py, app/acts.py)"


def test_each_act_asks_the_table():
    for node in SOURCES["acts.py"].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            asked = [call.args[1] for name, call in calls(node) if name in ("permit", "acting")]
            assert asked, f"{node.name} asks nobody"
            constants = {c.value for a in asked for c in ast.walk(a) if isinstance(c, ast.Constant)}
            assert constants <= ACTIONS.keys()


def test_pages_write_no_files():
    written = {place for place, tree in SOURCES.items() for name, _ in calls(tree) if name in FILES}
    assert written - PROGRAM == WRITE_FILES
