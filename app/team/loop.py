"""The loop: label, retrain, promote; what each round learned from and found."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import hides_blind, why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs.starting import start_run
from lens_triage.app.team.catalog_chooser import scored_catalog_chooser
from lens_triage.app.team.rows import (
    ROUND_COLUMNS,
    round_row,
)
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.catalog_view import by_test_set
from lens_triage.app.widgets.choices import fresh_name
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.paths import told
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import Table
from lens_triage.training.settings import RetrainSettings
from lensing_core.errors import BrokenModelError, NotFoundError
from lensing_core.labeling.loop_history import Round, loop_history
from lensing_core.store.blinding import open_blind_sessions
from lensing_core.store.ensembles import default_ensemble, ensemble_names
from lensing_core.store.runs import get_run, list_runs

_KINDS = ("retrain", "finetune")


class LoopBoard(pn.viewable.Viewer):
    """History of a catalog's rounds; an organizer starts the next, and promotes."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._no_promote = why_not(context, "promote")
        no_start = why_not(context, "start_run")
        self._run_id = ""
        self.notice = Notice()
        self.table = Table(
            columns=ROUND_COLUMNS,
            label="Rounds",
            empty="No ensemble has been retrained yet: grade some candidates, then retrain.",
        )
        self.table.on_action(self._promote)
        self.catalog = scored_catalog_chooser(context)
        self.retrain = ActionButton(
            self._start,
            label="Retrain",
            icon="play_arrow",
            size="small",
            disabled=not self.catalog.options,
            forbidden=no_start,
        )
        self.finetune = pmui.Button(
            label="Fine-tune",
            icon="tune",
            variant="outlined",
            size="small",
            margin=0,
            sx={"&.MuiButton-root": {"fontSize": "12px", "padding": "2px 10px"}},  # as the next one
            disabled=not self.catalog.options or bool(no_start),
            description=no_start or None,
        )
        self.catalog.param.watch(lambda _: self._choose(), "value")
        self._view = section(
            "The loop",
            self.notice,
            self.table,
            note="Each round's heads are trained on all grades so far; metrics are measured on "
            "objects that are never used for training. Promote reorders open queues. Retrain takes "
            "seconds; Fine-tune trains the networks themselves, which is slow without a GPU.",
            aside=(self.catalog, self.finetune, self.retrain),
        )
        super().__init__()
        self._choose()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def reload(self) -> None:
        """Look at the history again."""
        catalog = self.catalog.value or ""
        in_background(lambda: self._history(catalog), self._show)

    def refresh(self) -> None:
        """Follow the run that makes the next round, wherever it was started; cheap without one."""
        if not self._run_id:
            self._run_id = self._running()
        if not self._run_id:
            return
        run = self._context.database.ask(get_run, self._run_id)
        if run.active:
            share = "" if run.share is None else f" {100 * run.share:.0f} %"
            self.notice.say(f"{run.title}: {run.activity or run.status}{share}", "info")
            return
        self._run_id = ""
        self.retrain.disabled = False
        if run.status == "succeeded" and run.result:
            self.notice.say(
                f"{run.result['ensemble']} is made, measured on {run.result['figures_on']}. "
                "Compare it with its base below, then promote it.",
                "success",
            )
        else:
            self.notice.say(told(self._context, f"{run.title}: {run.error or run.status}"))
        self.reload()

    def _running(self) -> str:
        """The id of a run on this catalog that is under way; '' where there is none."""
        latest = self._context.database.ask(list_runs, kinds=_KINDS, limit=1)
        mine = [r for r in latest if r.active and r.settings.get("catalog") == self.catalog.value]
        self.retrain.disabled = bool(mine) or not self.catalog.value
        return mine[0].id if mine else ""

    def _choose(self) -> None:
        """Another catalog: its rounds, and the form of Train filled in for it."""
        catalog = self.catalog.value or ""
        self.finetune.href = address("train", tab="finetune", catalog=catalog, **self._base())
        self.reload()

    def _base(self) -> dict[str, Any]:
        """The ensemble that the next round starts from, and the class prior that it was given."""
        with self._context.database.session() as session:
            try:
                base = default_ensemble(session, catalog=self.catalog.value or "")
                rule = base.manifest.get("rule")
            except (NotFoundError, BrokenModelError):
                return {}  # the check of the run says what is wrong
            return {"base": base.name, **({"survey_prior": rule["survey_prior"]} if rule else {})}

    def _history(self, catalog: str) -> tuple[list[Round], bool]:
        """Rounds, and whether what follows from grades is kept back from who looks."""
        kept_back = hides_blind(self._context)
        with self._context.database.session() as session:
            kept_back = kept_back and bool(open_blind_sessions(session))
            return loop_history(session, catalog), kept_back

    def _show(self, found: tuple[list[Round], bool]) -> None:
        rounds, kept_back = found
        self.table.update(
            by_test_set(
                rounds[::-1],
                lambda found: round_row(found, forbidden=self._no_promote, kept_back=kept_back),
                lambda found: (found.metrics_on, found.test_set),
            )
        )

    def _start(self) -> None:
        with self.notice.guard():
            taken = self._context.database.ask(ensemble_names)
            name = fresh_name("round", [*taken, "round"])
            settings = RetrainSettings(ensemble=name, catalog=self.catalog.value, **self._base())
            start_run(
                self._context,
                settings,
                button=self.retrain,
                notice=self.notice,
                started=self._started,
            )

    def _started(self, run_id: str) -> None:
        self._run_id = run_id
        self.retrain.disabled = True
        self.notice.say("The retraining is queued …", "info")

    def _promote(self, _action: str, ensemble: str) -> None:
        with self.notice.guard():
            moved = acts.promote(self._context, ensemble)
            what = "; ".join(f"{n:,} of {name}" for name, n in moved.items())
            self.notice.say(
                f"{ensemble} is promoted. "
                + (
                    f"Ungraded candidates are reordered in {what}."
                    if what
                    else "No open queue was reordered."
                )
                + " Choose the next queue on Label.",
                "success",
            )
        self.reload()
