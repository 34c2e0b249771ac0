"""Steps of runs that do what several kinds of run do, one after the other."""

from __future__ import annotations

from typing import Any

from lens_triage.training.runner.context import JobContext


class StepContext(JobContext):
    """The context of one step of a run: its own folder, and its name before what it says."""

    def __init__(self, whole: JobContext, name: str, title: str) -> None:
        super().__init__(whole.workspace, whole.run_id, whole.attempt)
        self._name, self._title = name, title

    @property
    def folder(self) -> Any:
        path = super().folder / self._name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def progress(self, done: int, total: int | None = None, activity: str | None = None) -> None:
        said = None if activity is None else f"{self._title}: {activity.lower()}"
        super().progress(done, total, said)
