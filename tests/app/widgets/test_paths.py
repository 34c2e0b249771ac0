"""Where files are is told to organizers alone, where the server is reached from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.http.reach import Reach
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.settings.view import SettingsBoard, workspace_facts
from lens_triage.app.widgets.paths import sees_paths, without_folders
from lensing_core.store import open_database
from lensing_core.store.tables import Run, RunLog

FOLDER = "/srv/surveys/private"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/srv/surveys/a.fits has no WCS.", "…/a.fits has no WCS."),
        ("table '/srv/x/t.csv', row 3", "table '…/t.csv', row 3"),
        ("file:///srv/x", "file:///srv/x"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("3/4 of 5/6, /tmp", "3/4 of 5/6, /tmp"),
        ("(/mnt/ana/it.txt)", "(…/it.txt)"),
        ("", ""),
    ],
)
def test_of_a_path_the_end_is_left(text, told):
    assert without_folders(text) == told


@pytest.mark.parametrize("role", ["reader", "grader", "organizer"])
def test_settings_and_runs_tell_paths_to_organizers_alone(workspace, role):
    with open_database(workspace).session() as session:
        settings = {"table": f"{FOLDER}/table.csv", "images": [f"{FOLDER}/images"]}
        session.add(
            Run(id="one", kind="ingest", title="Import", status="failed", settings=settings,
                error=f"{FOLDER}/table.csv has no column ra.")
        )  # fmt: skip
        session.add(RunLog(run_id="one", level="error", message=f"{FOLDER}/table.csv: no ra"))
    context, _ = signed_in_as(AppContext.of(workspace, Reach(asks=True)), "Bo", role)
    here = str(workspace.root)
    monitor = RunMonitor(context, "one")
    shown = [
        repr(workspace_facts(context)),
        repr(SettingsBoard(context).__panel__()),
        *(pane.object for pane in (monitor._log, monitor._settings)),
        monitor._error.message,
    ]
    is_told = any(here in text or FOLDER in text for text in shown)
    assert is_told == (role == "organizer") == sees_paths(context)
    assert "table.csv" in monitor._log.object
    on_this_machine = replace(context, reach=Reach())
    assert sees_paths(on_this_machine)
