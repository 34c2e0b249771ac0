"""The tab of the selection function: maps, who sees which, and files."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from astropy.io import fits
from people import signed_in_as
from selection_data import inject_on_grid, search_sky

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.selection import SelectionBoard
from lensing_core.selection import load_selection_function


@pytest.fixture
def searched(workspace):
    search_sky(workspace)
    inject_on_grid(workspace)
    return workspace


def test_without_a_run_the_tab_says_what_to_do(workspace):
    board = SelectionBoard(AppContext.of(workspace))
    assert "Nothing has been measured yet" in board._about.object
    assert not board._choosers.visible


def test_a_run_is_shown_as_maps_and_files(searched, tmp_path):
    board = SelectionBoard(AppContext.of(searched))
    assert board.run.value == "measured"
    assert list(board.shown.options.values()) == ["combined", "machine"]
    assert "injected lenses are found by all steps together" in board._about.object
    assert "Purity at a class prior of 0.5" in board._about.object
    assert "Choi et al. 2007" in board._about.object
    plots = board._plots.objects[0].objects
    assert len(plots) == 3
    path = tmp_path / "map.ecsv"
    path.write_bytes(board._file("ecsv").getvalue())
    assert load_selection_function(path).name == "combined"
    with fits.open(io.BytesIO(board._file("fits").getvalue())) as hdus:
        assert hdus["COMPLETENESS"].shape == (2, 3)
    assert board._file("pdf").getvalue().startswith(b"%PDF")
    board.shown.value = "machine"
    assert "found by machine" in board._about.object


def test_graders_see_the_machine_alone(searched):
    context, _ = signed_in_as(AppContext.of(searched), "Ana", "grader")
    board = SelectionBoard(context)
    found = board._measured
    assert board._allowed(found) == ["combined", "machine"]
    board._measured = with_team = replace(found, steps=("machine", "team"))
    assert board._allowed(with_team) == ["machine"]
    board.shown.param.update(options=["combined"], value="combined")
    assert board._file("ecsv").getvalue() == b""
