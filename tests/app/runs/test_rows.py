"""How runs are shown: rows, head, log, result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lens_triage.app.overview.view import demo_html
from lens_triage.app.runs import rows as run_view
from lens_triage.app.runs.monitor import Speed
from lensing_core.store.runs import LogLine, RunSummary
from lensing_core.store.tables import utc_now

RUN = RunSummary(
    id="20260101-120000-score-abcdef",
    kind="score",
    title="Score <b>cosmos</b> with first",
    status="running",
    settings={"ensemble": "first", "catalog": "cosmos", "batch_size": 256},
    after_run_id=None,
    attempt=1,
    cancel_requested=False,
    done=512,
    total=2048,
    activity="Scoring, 900 a second",
    error=None,
    result=None,
    created_at=utc_now() - timedelta(minutes=5),
    started_at=utc_now() - timedelta(minutes=4),
    finished_at=None,
)


def ended(status: str, **changes) -> RunSummary:
    return replace(RUN, status=status, finished_at=utc_now(), **changes)


def test_share_needs_a_total():
    assert RUN.share == 0.25
    assert replace(RUN, total=None).share is None
    assert replace(RUN, done=3000).share == 1.0
    assert ended("succeeded", total=None).share == 1.0


def test_rows_show_progress_and_state():
    assert run_view.run_row(RUN)["progress"]["text"] == "25 %"
    assert run_view.run_row(RUN)["state"] == {"text": "running", "chip": "accent", "title": ""}
    assert run_view.run_row(replace(RUN, status="queued"))["progress"]["tone"] == "muted"
    assert run_view.run_row(replace(RUN, cancel_requested=True))["state"]["text"] == "stopping"
    failed = run_view.run_row(ended("failed", total=None, error="Row 3 is bad; mend it."))
    assert failed["progress"]["share"] == 0.0
    assert failed["state"]["title"] == "Row 3 is bad; mend it."


def test_head_escapes_and_counts():
    head = run_view.head_html(RUN, per_second=900.0, left_s=1.7)
    assert "<b>" not in head
    assert "&lt;b&gt;cosmos" in head
    assert "512 of 2,048" in head
    assert "900/s" in head
    assert "2 s left of this step" in head
    assert 'aria-valuenow="25"' in head


def test_unknown_total_has_no_value_and_a_stopped_run_no_full_bar():
    assert "aria-valuenow" not in run_view.head_html(
        replace(RUN, total=None), per_second=None, left_s=None
    )
    stopped = run_view.head_html(ended("failed", total=None), per_second=None, left_s=None)
    assert "width:0.0%" in stopped


def test_log_shows_no_traceback():
    text = "Traceback (most recent call last):\n  File x\nZeroDivisionError: a bug"
    log = run_view.log_html([LogLine(1, utc_now(), "error", text)], "run-1")
    assert "Traceback" not in log
    assert "ZeroDivisionError: a bug (in full in runs/run-1/output.log)" in log


def test_log_is_newest_first_in_the_reversed_column_and_escaped():
    lines = [LogLine(k, utc_now(), "info", f"<i>{k}</i>") for k in range(3)]
    log = run_view.log_html(lines, "r")
    assert "<i>" not in log
    assert log.index("2&lt;") < log.index("1&lt;") < log.index("0&lt;")


def test_result_leaves_out_what_is_empty_and_links_on():
    run = ended("succeeded", result={"scored": 140, "doubts": {}, "already_complete": False})
    text = run_view.result_html(run)
    assert ">Scored<" in text
    assert ">140<" in text
    assert "Doubts" not in text
    assert "Already" not in text
    assert 'href="review?catalog=cosmos&amp;ensemble=first"' in text
    assert "href" not in run_view.result_html(replace(run, status="cancelled"))


def test_metrics_have_intervals_or_say_that_they_cannot_be_measured():
    metric = {"value": 0.4, "low_68": 0.35, "high_68": 0.45, "low_95": 0.3, "high_95": 0.5}
    assert run_view.metric_text(metric) == "0.400 [0.300, 0.500]"
    assert run_view.metric_text({**metric, "value": None}) == "not measurable"
    text = run_view.result_html(ended("succeeded", result={"figures": {"tpr0": metric}}))
    assert "Recall before any false positive" in text


def test_settings_carry_the_labels_of_the_form():
    name = "Batch size (cutouts)"
    assert f'<dt title="{name}">{name}</dt>' in run_view.settings_html(RUN)


def test_speed_of_the_last_seconds_and_of_one_activity():
    speed = Speed()
    assert speed.update(replace(RUN, done=0), 0.0) == (None, None)
    per_second, left = speed.update(replace(RUN, done=400), 4.0)
    assert per_second == 100.0
    assert left == (2048 - 400) / 100
    assert speed.update(replace(RUN, done=0, activity="Measuring"), 5.0) == (None, None)
    assert speed.update(replace(RUN, done=30, activity="Measuring"), 8.0)[0] == 10.0


def test_speed_forgets_what_was_long_ago():
    speed = Speed()
    for second in range(100):
        done = 10 * second if second < 50 else 500 + (second - 50)
        per_second, _ = speed.update(replace(RUN, done=done), float(second))
    assert per_second == 1.0


def test_demonstration_in_one_sentence():
    runs = [ended("succeeded"), RUN, replace(RUN, status="queued"), replace(RUN, status="queued")]
    assert "Run 2 of 4: Score" in demo_html(runs)
    assert "scoring, 900 a second." in demo_html(runs)
    assert "href" not in demo_html(runs)
    assert "has failed; see below" in demo_html([ended("succeeded"), ended("failed")])
    assert "was lost; see below" in demo_html([ended("lost")])
    done = demo_html([ended("succeeded")] * 4)
    assert 'href="review?catalog=demo-survey&amp;ensemble=demo"' in done


def test_a_run_that_resuming_cannot_help_says_so():
    def head(failure: str | None) -> str:
        run = ended("failed", error="Bands do not fit.", failure=failure)
        return run_view.head_html(run, per_second=None, left_s=None)

    assert run_view.NOT_RESUMABLE in head("settings")
    assert run_view.NOT_RESUMABLE not in head("input")
    assert run_view.NOT_RESUMABLE not in head(None)
