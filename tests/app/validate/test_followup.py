"""The Follow-up tab, observations of a candidate, and addresses of a plan's files."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from people import signed_in_as
from typer.testing import CliRunner

from lens_triage.app.cli import cli
from lens_triage.app.context import AppContext
from lens_triage.app.validate.candidate import CandidateBoard
from lens_triage.app.validate.followup import FollowUpBoard
from lens_triage.app.validate.plan_rows import plan_address, settings_of
from lens_triage.training.followup import PLAN_FORMATS, FollowUpSettings
from lensing_core.errors import BadInputError
from lensing_core.store import open_database
from lensing_core.store.stages import checklist_of, prior_models
from lensing_core.store.tables import Candidate, Catalog, Confirmation, FollowUp

WORDS = {"stages": ["detection"], "site": ["ctio"], "first_night": ["2026-03-14"], "most": ["3"]}


@pytest.fixture
def candidate(filled_workspace):
    """A board that shows an observed candidate, and its id."""
    context, _ = signed_in_as(AppContext.of(filled_workspace), "Ana")
    with open_database(filled_workspace).session() as session:
        key = session.scalar(
            sa.select(Candidate.id).join(Catalog).where(Catalog.origin == "observed").limit(1)
        )
    board = CandidateBoard(context, lambda: None)
    board.show_candidate(key)
    return board, key


def test_a_plan_is_shown_with_its_files(filled_on_sqlite):
    board = FollowUpBoard(AppContext.of(filled_on_sqlite), WORDS)
    board.plan_button.press()
    assert [row["order"] for row in board.targets.rows] == ["1", "2", "3"]
    assert board.nights.rows[0]["dark"] == "00:21–09:23"
    assert "Limit for MUSE" in board.notes.object
    assert board.links.object.count("follow-up/") == len(PLAN_FORMATS)
    board.form.write(first_night="soon")
    board.plan_button.press()
    assert "First night 'soon'" in board.notice.message
    board.form.write(first_night="", stages=["rejected"])
    board.plan_button.press()
    assert "No candidate is in stage rejected" in board.notice.message
    odd = FollowUpBoard(AppContext.of(filled_on_sqlite), {"nights": ["many"]})
    assert "nights: 'many' is no number" in odd.notice.message


def test_an_address_gives_the_settings_back():
    given = FollowUpSettings(
        site="keck", nights=12, airmass_max=1.5, stages=["triage", "validation"], limit_mag=23.5,
        coordinates="1, 2, 3", weight_new=0.0,
    )  # fmt: skip
    words = parse_qs(urlsplit(plan_address("csv", given)).query)
    assert settings_of(words).to_json() == given.to_json()
    assert plan_address("ds9", FollowUpSettings()) == "follow-up/ds9"
    with pytest.raises(BadInputError, match="no such setting"):
        settings_of({"telescope": ["big"]})


def test_an_observation_is_kept_with_what_follows(candidate, filled_workspace):
    board, _ = candidate
    form = board.observations
    form.keep.press()
    assert "Night: ''" in form.notice.message
    form.night.value, form.instrument.value = "2026-03-14", "MUSE"
    form.keep.press()
    assert form.notice.message == "The observation was stored; it gives no label."
    form.outcome.value = "lens"
    form.keep.press()
    assert "lacks the reference" in form.notice.message
    form.reference.value, form.z_lens.value, form.z_source.value = "arXiv:2601.00001", "0.3", "1.2"
    form.keep.press()
    assert [row["gave"] for row in form.reports.rows] == ["confirmation record", "no label"]
    assert board.records.rows[0]["spectrum"] == "MUSE, 2026-03-14"
    form.outcome.value, form.reason.value = "not_lens", "ring"
    form.reference.value = ""
    form.keep.press()
    assert form.reports.rows[0]["gave"] == "grade X of the person who entered it"
    with open_database(filled_workspace).session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(FollowUp)) == 3
        assert session.scalar(sa.select(sa.func.count()).select_from(Confirmation)) == 1


def test_colors_are_measured_and_prior_models_said(candidate, filled_workspace):
    board, key = candidate
    board.colors.press()
    board.finding.value = "Abell 2744 is far"
    board.new.press()
    with open_database(filled_workspace).session() as session:
        points = {point.item: point for point in checklist_of(session, key)}
        assert prior_models(session, [key]) == {key: False}
    assert "segment" in points["colors"].text
    assert points["archive"].text == "New: Abell 2744 is far"


def test_the_command_line_writes_all_files(filled_on_sqlite, tmp_path):
    root = str(filled_on_sqlite.root)
    result = CliRunner().invoke(
        cli,
        ["followup", "plan", root, "--stages", "detection", "--site", "ctio", "--most", "2",
         "--first-night", "2026-03-14", "--output", str(tmp_path / "plan")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "plan").iterdir()} == {
        form.file_name for form in PLAN_FORMATS.values()
    }
    assert "paranal" in CliRunner().invoke(cli, ["followup", "sites"]).output
    assert "MUSE" in CliRunner().invoke(cli, ["followup", "instruments", root]).output
