"""The comparison with the training set, as a run's card and Score show it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from lens_triage.app.runs.probes import probes_html
from lens_triage.app.runs.rows import result_html
from lens_triage.app.runs.shift import shift_html
from lensing_core.store import open_database
from lensing_core.store.runs import get_run, last_shift
from lensing_core.store.tables import Run

CHECK = {
    "name": "noise g",
    "title": "Noise of a pixel, g",
    "unit": "mag",
    "low": 27.1,
    "high": 30.2,
    "training": 28.5,
    "catalog": 33.9,
    "level": "warning",
}
FOUND = {
    "level": "warning",
    "alarms": ["Noise of a pixel, g: 33.9 mag <b>"],
    "notes": [],
    "contract": [CHECK],
    "domains": [
        {
            "columns": "embedding of net-1",
            "auroc": 0.99,
            "low_95": 0.98,
            "high_95": 1.0,
            "discrepancy": 0.2,
            "p_value": 0.002,
            "training": 750,
            "catalog": 700,
            "alarming": True,
        }
    ],
    "columns": [
        {
            "name": "noise g",
            "training": 28.5,
            "catalog": 33.9,
            "title": "Noise of a pixel, g",
            "wasserstein": 6.2,
            "kolmogorov_smirnov": 1.0,
            "moved": True,
        }
    ],
    "giveaways": [{"candidate": 7, "object": "J1 <x>"}],
    "zero_points_mag": {"training": {"a": [27.0], "b": [27.0]}, "catalog": {"c": [None]}},
}
QUIET = {**{key: [] for key in ("alarms", "notes", "contract", "domains", "columns", "giveaways")}}


def test_alarms_and_tables_say_what_was_found():
    shown = shift_html(FOUND, catalog="survey", ensemble="first")
    assert '<p class="warning">Noise of a pixel, g: 33.9 mag &lt;b&gt;</p>' in shown
    assert '<td class="warning">33.9</td>' in shown
    assert "0.990 [0.980, 1.000]" in shown
    assert "J1 &lt;x&gt;" in shown
    assert "candidate=7" in shown
    assert "guide=when-an-alarm-rings" in shown


def test_without_alarm_nothing_is_colored():
    shown = shift_html({**QUIET, "level": "ok"}, catalog="survey")
    assert "No alarm" in shown
    assert "warning" not in shown
    assert "<details" not in shown
    unknown = {**QUIET, "level": "unknown", "notes": ["Ensemble old keeps no statistics."]}
    assert "Ensemble old keeps no statistics." in shift_html(unknown, catalog="survey")


def test_the_last_scoring_of_a_pair_is_what_score_shows(filled_workspace):
    with open_database(filled_workspace).session() as session:
        session.add(Run(id="s1", kind="score", title="s", settings={}, status="succeeded"))
        result = {"ensemble": "first", "scored": 3, "shift": {"survey": FOUND}}
        session.execute(update(Run).where(Run.id == "s1").values(result=result))
    with open_database(filled_workspace).session() as session:
        assert last_shift(session, "first", "survey") == FOUND
        assert last_shift(session, "other", "survey") is None
        run = replace(get_run(session, "s1"), settings={"catalog": "survey"})
    shown = result_html(run)
    assert shown.count("Against the training set") == 1
    assert "Shift" not in shown  # its tables stand below, not in the list


def test_probes_that_ring_are_sentences_and_marked_rows():
    quiet = {
        "name": "gray",
        "title": "Gray: one color for all",
        "auroc": {"value": 0.9, "low_95": 0.88, "high_95": 0.92},
        "drop": {"value": 0.05, "low_95": 0.03, "high_95": 0.07},
        "correlation": None,
        "sentence": "",
    }
    found = {
        "probes": [quiet],
        "notes": ["A <note>."],
        "kind_of_others": "vetted",
        "lenses": 30,
        "others": 60,
        "catalogs": ["survey"],
    }
    shown = probes_html(found)
    assert "No alarm" in shown
    assert "0.900 [0.880, 0.920]" in shown
    assert "+0.050 [+0.030, +0.070]" in shown
    assert "A &lt;note&gt;." in shown
    assert "warning" not in shown
    rings = {**quiet, "name": "center_only", "sentence": "Only the central 0.8″: AUROC 0.9, nearly"}
    shown = probes_html({**found, "probes": [rings]})
    assert '<p class="warning">Only the central 0.8″' in shown
    assert shown.count('<td class="warning">') == 4
