"""Metrics of an ensemble on objects that nothing of it was fitted on."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.deployment import DeploymentView
from lens_triage.app.evaluate.plots import (
    RocPlot,
    recall_plot,
    reliability_plot,
)
from lens_triage.app.evaluate.probes import ShortcutProbes
from lens_triage.app.evaluate.real_objects import RealObjects
from lens_triage.app.evaluate.tables import (
    CSS,
    MEMBER_COLUMNS,
    about_html,
    calibration_html,
    conformal_html,
    fusion_html,
    importance_html,
    member_rows,
    metrics_html,
)
from lens_triage.app.visits import remember
from lens_triage.app.widgets.choices import newest_promoted
from lens_triage.app.widgets.class_prior import CSS as CLASS_PRIOR_CSS
from lens_triage.app.widgets.class_prior import class_prior_html
from lens_triage.app.widgets.comparison import EnsembleComparison
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import (
    FITS,
    columns,
    grid,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import Table
from lens_triage.training.evaluation import Evaluation, evaluate
from lensing_core.errors import LensTriageError
from lensing_core.store.summaries import (
    CatalogSummary,
    EnsembleSummary,
    list_catalogs,
    list_ensembles,
)

_ALL = "all of them"
_OF_TREES = ("lightgbm", "pu_head")
Importance = tuple[tuple[str, str, float], ...] | str


class EvaluationBoard(pn.viewable.Viewer):
    """Metrics, curves and tables of one ensemble; :meth:`refresh` now and then."""

    def __init__(self, context: AppContext, *, ensemble: str = "") -> None:
        self._context = context
        self._asked = ensemble  # shown although it is archived
        self._ensembles: dict[str, EnsembleSummary] = {}
        self._wanted = ("", "")
        self._reading = False
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.ensemble = pmui.Select(label="Ensemble", width=300, **style)
        self.catalog = pmui.Select(label="Test split of", width=300, visible=False, **style)
        self._about = html("", css=CSS)
        self._links = html("", css=CSS, sizing_mode=None)
        self._metrics = html("", css=CSS)
        self._roc, self._deployment = RocPlot(), DeploymentView()
        self._curve, self._survey = self._roc.__panel__(), self._deployment.__panel__()
        self._no_curve = html(f"<p>{_NO_CURVE}</p>", css=CSS)
        self._ranking = columns(
            section("Metrics", self._metrics, note=_METRICS_NOTE),
            section(
                "Ranking",
                self._curve,
                self._no_curve,
                note="Recall against the false-positive rate, with its 95 % interval; the curve "
                "begins where one non-lens of the test split passes.",
            ),
            template="1fr 1fr",
        )
        self._members = Table(
            columns=MEMBER_COLUMNS, label="Members", empty="No metrics of members are stored."
        )
        self._more_metrics, self._importance = stack(), stack()
        self.real = RealObjects(context)
        self.probes = ShortcutProbes(context)
        self._comparison = EnsembleComparison(context)
        self._compare = section(
            "Two ensembles",
            self._comparison.__panel__(),
            note="On the test objects of both ensembles, by a paired bootstrap: differences in "
            "the difficulty of objects cancel.",
        )
        self._empty = section(
            "No ensemble yet",
            html(
                '<p><a href="train">Train one</a> on labeled or simulated objects; its metrics '
                "are shown here then.</p>",
                css=CSS,
            ),
        )
        self._results = stack(
            self._ranking,
            self._survey,
            self._more_metrics,
            section(
                "Members",
                self._members,
                note="With 95 % intervals, as measured when the ensemble was made.",
            ),
            self._importance,
            visible=False,
        )
        self._waiting = section("Metrics", html(skeleton(9)))
        self._body = stack(
            section(
                "Ensemble",
                pn.Row(
                    self.ensemble,
                    self.catalog,
                    self._links,
                    margin=(6, 0, 0, 0),
                    styles={"gap": "16px", "align-items": "center", "flex-wrap": "wrap"},
                    stylesheets=[FITS],
                ),
                self._about,
            ),
            self._waiting,
            self._results,
            self.real,
            self.probes,
            self._compare,
        )
        super().__init__()
        self.refresh()
        if ensemble in self._ensembles:
            self.ensemble.value = ensemble
        self._choose()
        self.ensemble.param.watch(lambda _: self._chosen(), "value")
        self.catalog.param.watch(lambda _: self._look(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return stack(self._empty, self._body)

    def refresh(self) -> None:
        """Look again which ensembles there are."""
        found = self._context.database.ask(list_ensembles, named=self._asked)
        self._ensembles = {e.name: e for e in found}
        names = {e.shown_name: e.name for e in found}
        self._empty.visible, self._body.visible = not names, bool(names)
        if names != self.ensemble.options:
            chosen = self.ensemble.value
            self.ensemble.options = names
            self.ensemble.value = chosen if chosen in self._ensembles else _promoted(found)
        self._offer_real()
        self.real.refresh()
        self.probes.refresh()
        self._comparison.offer(found)
        self._compare.visible = self._comparison.possible

    def _chosen(self) -> None:
        self._choose()
        if self.ensemble.value:
            remember(ensemble=self.ensemble.value)

    def _choose(self) -> None:
        """Another ensemble: first on all of its held-out objects."""
        name = self.ensemble.value
        if name not in self._ensembles:
            return
        self.catalog.param.update(options=[_ALL], value=_ALL, visible=False)
        score = address("score", ensemble=name)
        self._links.object = f'<p><a href="{score}">Score with it</a></p>'
        self._comparison.choose(name)
        self._offer_real()
        self._look()

    def _offer_real(self) -> None:
        """Look in a thread which catalogs it has scored: that takes long in a large workspace."""
        if self._reading:
            return
        self._reading = True
        in_background(self._scored_catalogs, self._show_real)

    def _scored_catalogs(self) -> list[CatalogSummary]:
        try:
            return self._context.database.ask(list_catalogs)
        finally:
            self._reading = False  # where it failed, too: the next refresh asks again

    def _show_real(self, catalogs: list[CatalogSummary]) -> None:
        self.real.offer(self.ensemble.value or "", catalogs)
        self.probes.offer(self.ensemble.value or "", catalogs)

    def _look(self) -> None:
        """Measure, in a thread; what was shown stays until then."""
        name, catalog = self.ensemble.value, self.catalog.value
        wanted = (name, "" if catalog == _ALL else catalog)
        if name not in self._ensembles or wanted == self._wanted:
            return
        self._wanted = wanted
        self._about.object = "<p>Measuring …</p>"
        in_background(lambda: self._measured(*wanted), lambda found: self._show(wanted, *found))

    def _measured(self, name: str, catalog: str) -> tuple[Evaluation | str, dict[str, Importance]]:
        """Return what is to be shown, or one sentence on why it cannot be; runs in a thread."""
        workspace = self._context.workspace
        try:
            found = evaluate(workspace, name, catalog)
        except LensTriageError as error:
            return str(error), {}
        importance: dict[str, Importance] = {}
        from lensing_core.models.explaining import feature_importance  # seconds: not at the start

        for model_id, kind in self._ensembles[name].members:
            if kind in _OF_TREES:
                try:
                    importance[model_id] = feature_importance(workspace, model_id)
                except LensTriageError as error:
                    importance[model_id] = str(error)
        return found, {k: v for k, v in importance.items() if v}

    def _show(
        self,
        wanted: tuple[str, str],
        found: Evaluation | str,
        importance: dict[str, Importance],
    ) -> None:
        if wanted != self._wanted:
            return  # something else was chosen meanwhile
        self._waiting.visible = False
        if isinstance(found, str):
            self._about.object = f'<p class="warning">{escape(found)}</p>'
            return
        ensemble = self._ensembles[wanted[0]]
        if not wanted[1] and len(found.sources) > 1:
            names = [_ALL, *(s.catalog for s in found.sources)]
            self.catalog.param.update(options=names, visible=True)
        self._about.object = about_html(ensemble, found)
        self._metrics.object = (
            metrics_html(found.metrics) if found.metrics else "<p>Too few objects to measure.</p>"
        )
        self._members.update(member_rows(ensemble))
        has_curve = found.curve is not None
        self._curve.visible = self._survey.visible = has_curve
        self._no_curve.visible = not has_curve
        if found.curve is not None:
            self._roc.display(found.curve.roc())
            self._deployment.display(found.curve, prior=found.survey_prior)
        self._more_metrics.objects = _more_metrics(ensemble, found)
        importances = _importance(importance)  # an empty part would leave a gap
        self._importance.param.update(objects=importances, visible=bool(importances))
        self._results.visible = True


def _promoted(ensembles: list[EnsembleSummary]) -> str | None:
    """The promoted ensemble, else the newest: those that come with the program have no objects."""
    return newest_promoted(ensembles) or (ensembles[0].name if ensembles else None)


_METRICS_NOTE = (
    "Intervals are from a bootstrap stratified by class. False-positive rates below one in the "
    "number of non-lenses of the test split cannot be measured."
)
_NO_CURVE = (
    "The scores of the test split are not in this workspace, so there is no curve, and no "
    "purity by class prior."
)


def _more_metrics(ensemble: EnsembleSummary, found: Evaluation) -> list[pn.viewable.Viewable]:
    """Calibration, recall by properties, fusions and prediction sets, as far as they are known."""
    manifest = ensemble.manifest
    parts: list[pn.viewable.Viewable] = []
    if found.reliability:
        parts.append(
            section(
                "Calibration",
                columns(
                    reliability_plot(found.reliability["bins"]),
                    html(calibration_html(found.reliability), css=CSS),
                    template="1fr 1fr",
                ),
                note="At the class prior of the test split; bins of equal mass with 68 % "
                "intervals.",
            )
        )
    if manifest.get("pu"):
        parts.append(
            section(
                "Class prior and labels",
                html(class_prior_html(manifest["pu"]), css=CLASS_PRIOR_CSS),
                note="Of the unlabeled objects that the heads were trained on, by out-of-fold "
                "scores.",
            )
        )
    if found.strata:
        plots = [recall_plot(name, bins) for name, bins in found.strata.items()]
        parts.append(
            section(
                "Recall by properties",
                grid(
                    *plots, template="repeat(auto-fill, minmax(min(330px, 100%), 1fr))", gap="14px"
                ),
                note="Recall of lenses of the test split by their properties, at a "
                "false-positive rate "
                "of 1e-2 for all together; 95 % intervals.",
            )
        )
    tables = []
    if choice := manifest.get("fusion_choice"):
        tables.append(
            section(
                "Fusing members",
                html(fusion_html(choice, ensemble.fusion), css=CSS),
                note="Cross-fitted on the calibration split; the rule with the best TPR0, then "
                "TPR10, is used unless one was set.",
            )
        )
    if conformal := manifest.get("conformal"):
        tables.append(
            section(
                "Prediction sets",
                html(conformal_html(conformal), css=CSS),
                note="Conformal sets (lens, not, both or neither), as measured when the ensemble "
                "was made.",
            )
        )
    if tables:
        parts.append(columns(*tables, template="1fr 1fr" if len(tables) > 1 else "1fr"))
    return parts


def _importance(found: dict[str, Importance]) -> list[pn.viewable.Viewable]:
    """Return what trees look at, a table a member."""
    if not found:
        return []
    tables = [
        stack(
            html(f"<p>{escape(model_id)}</p>", css=CSS),
            html(
                f'<p class="warning">{escape(features)}</p>'
                if isinstance(features, str)
                else importance_html(features),
                css=CSS,
            ),
            gap=4,
        )
        for model_id, features in found.items()
    ]
    return [
        section(
            "Features used by trees",
            columns(*tables, template="1fr 1fr" if len(tables) > 1 else "1fr"),
            note="Features by their share in the gain of all splits in training.",
        )
    ]
