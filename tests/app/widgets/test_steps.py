"""What a workspace is told to do next."""

from __future__ import annotations

from lens_triage.app.widgets.steps import (
    address,
    next_steps,
    steps_html,
)
from lens_triage.training.bundled import import_bundled
from lensing_core.store import open_database
from lensing_core.store.runs import list_active_runs
from lensing_core.store.summaries import list_catalogs, list_ensembles
from lensing_core.store.tables import Run, Score
from lensing_core.workspace import Workspace


def states(workspace: Workspace) -> list[str]:
    database = open_database(workspace)
    steps = next_steps(
        database.ask(list_catalogs), database.ask(list_ensembles), database.ask(list_active_runs)
    )
    return [step.state for step in steps]


def test_an_empty_workspace_begins_with_data(workspace):
    assert states(workspace) == ["next", "later", "later", "later"]


def test_a_ranked_catalog_is_to_be_reviewed(filled_workspace):
    assert states(filled_workspace) == ["done", "done", "done", "next"]
    database = open_database(filled_workspace)
    steps = next_steps(database.ask(list_catalogs), database.ask(list_ensembles), [])
    assert steps[0].text == "212 candidates in 3 catalogs."
    assert steps[1].text == "1 ensemble; first is promoted."
    assert steps[2].text == "140 of 140 of cosmos."
    assert steps[3].links == (("Review", "review?catalog=cosmos&ensemble=first"),)


def test_ensembles_that_came_with_the_program_are_there_to_score_with(workspace):
    import_bundled(workspace)
    ensembles = open_database(workspace).ask(list_ensembles)
    text = next_steps([], ensembles, [])[1].text
    assert text == f"{len(ensembles)} ensembles to score with."


def test_without_scores_scoring_is_next(filled_workspace):
    with open_database(filled_workspace).session() as session:
        session.query(Score).delete()
    assert states(filled_workspace) == ["done", "done", "next", "later"]


def test_what_runs_is_busy(workspace):
    with open_database(workspace).session() as session:
        session.add(Run(id="r", kind="simulate", title="t", settings={}))
    assert states(workspace)[0] == "busy"


def test_only_the_first_open_step_stands_out(filled_workspace):
    database = open_database(filled_workspace)
    steps = next_steps(database.ask(list_catalogs), [], [])
    assert [step.state for step in steps] == ["done", "next", "done", "next"]
    text = steps_html(steps)
    assert text.count('class="next"') == 1
    assert text.count('aria-current="step"') == 1


def test_addresses_are_quoted():
    assert address("review", catalog="a&b c", ensemble="") == "review?catalog=a%26b+c"
    assert address("train") == "train"
