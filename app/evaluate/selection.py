"""The selection function: which lenses a search finds, by Einstein radius and arc S/N."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import hides_blind
from lens_triage.app.context import AppContext
from lens_triage.app.evaluate.selection_plots import map_plot, marginal_plot
from lens_triage.app.evaluate.tables import CSS
from lens_triage.app.runs.form import RunForm
from lens_triage.app.widgets.choices import catalog_choices, ensemble_choices
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.section import FITS, columns, html, section, stack
from lens_triage.training.selection.exports import file_name
from lens_triage.training.selection.measuring import (
    COMBINED,
    LENS_TEST,
    MACHINE,
    MeasuredSelection,
    measure_selection,
)
from lens_triage.training.settings import SelectionSettings
from lensing_core.errors import LensTriageError
from lensing_core.selection import SelectionMap, write_ecsv, write_fits
from lensing_core.store.runs import RunSummary, list_runs
from lensing_core.store.summaries import list_catalog_rows, list_ensembles

_LATEST = 30
_OF_MACHINES = (MACHINE, LENS_TEST)
_FORMATS = ("ecsv", "fits", "pdf")
_WIDE = {"flex": "1 1 260px", "min-width": "0"}
_NOTE = (
    "Arcs are painted onto the catalog's own galaxies, equally many in every cell of Einstein "
    "radius and S/N, and pass the same steps as the catalog: ensemble, cut, graders (if sessions "
    "show them as gold), lens test. Fuller color: a larger share is found. Lines: the fitted "
    "surface reaches 50 % (solid) and 90 % (dashed)."
)
_NONE = (
    "<p>Nothing has been measured yet: choose a catalog, and an ensemble that has scored it.</p>"
)


class SelectionBoard(pn.viewable.Viewer):
    """Measured selection functions, one map at a time, above the form of the next run."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._measured: MeasuredSelection | None = None
        self._runs: dict[str, RunSummary] = {}
        self._asked: tuple[Any, ...] = ()
        style: dict[str, Any] = {"size": "small", "margin": 0}
        self.run = pmui.Select(
            label="Measured", sizing_mode="stretch_width", max_width=420, styles=_WIDE, **style
        )
        self.shown = pmui.Select(label="Completeness of", width=220, **style)
        self._about = html(_NONE, css=CSS)
        self._plots = stack()
        self._downloads = [self._download(kind) for kind in _FORMATS]
        self._choosers = pn.Row(
            self.run, self.shown, *self._downloads, margin=(6, 0, 0, 0),
            styles={"gap": "14px", "align-items": "center", "flex-wrap": "wrap"},
            stylesheets=[FITS],
        )  # fmt: skip
        self._form = RunForm(
            context,
            SelectionSettings,
            title="Measure a selection function",
            button="Inject and measure",
            note="Injected lenses form a separate catalog. Several ensembles can be measured on "
            "it, and sessions can show it to graders as gold (setting Gold catalog).",
            choices=self._choices,
            folded=("Hosts", "Sources", "Population", "Running"),
            on_end=lambda _: self.refresh(),
        )
        self._view = stack(
            section("Selection function", self._choosers, self._about, self._plots, note=_NOTE),
            self._form,
        )
        super().__init__()
        self.run.param.watch(lambda _: self._read(), "value")
        self.shown.param.watch(lambda _: self._draw(), "value")
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again which runs there are."""
        found = self._context.database.ask(
            list_runs, kinds=(SelectionSettings.kind,), ended=True, limit=_LATEST
        )
        self._runs = {run.id: run for run in found if run.status == "succeeded"}
        options = {f"{run.title}, {run.created_at:%Y-%m-%d %H:%M}": run.id for run in found
                   if run.id in self._runs}  # fmt: skip
        self._choosers.visible = bool(options)
        if options != self.run.options:
            chosen = self.run.value
            self.run.options = options
            self.run.value = chosen if chosen in self._runs else next(iter(self._runs), None)

    def _choices(self) -> Mapping[str, Choices]:
        with self._context.database.session() as session:
            return {
                "catalog": catalog_choices(list_catalog_rows(session)),
                "ensemble": ensemble_choices(list_ensembles(session)),
            }

    def _read(self) -> None:
        """Measure anew, with the grades of now, in a thread."""
        run = self._runs.get(self.run.value or "")
        if run is None:
            return
        self._about.object = "<p>Measuring …</p>"
        in_background(lambda: self._found(run), lambda found: self._show(run.id, found))

    def _found(self, run: RunSummary) -> MeasuredSelection | str:
        try:
            settings = SelectionSettings.from_json(run.settings)
            return measure_selection(self._context.workspace, settings)
        except LensTriageError as error:
            return str(error)

    def _show(self, run_id: str, found: MeasuredSelection | str) -> None:
        if run_id != self.run.value:
            return
        self._plots.objects = []
        if isinstance(found, str):
            self._measured = None
            self._about.object = f'<p class="warning">{escape(found)}</p>'
            return
        self._measured = found
        names = self._allowed(found)
        first = COMBINED if COMBINED in names else MACHINE
        self.shown.param.update(options={n.capitalize(): n for n in names}, value=first)
        self._draw()

    def _allowed(self, found: MeasuredSelection) -> list[str]:
        """Maps that who looks may see: what graders find is for organizers."""
        names = [COMBINED, *(name for name in found.maps if name != COMBINED)]
        if not hides_blind(self._context):
            return names
        kept_back = set(found.steps) - set(_OF_MACHINES)
        return [n for n in names if n in _OF_MACHINES or (n == COMBINED and not kept_back)]

    def _draw(self) -> None:
        measured = self._measured
        if measured is None or self.shown.value not in measured.maps:
            return
        one = measured.maps[self.shown.value]
        self._about.object = about_html(measured, one)
        self._plots.objects = [
            columns(
                map_plot(one),
                marginal_plot(one, "theta_e_arcsec"),
                marginal_plot(one, "arc_snr"),
                template="1.3fr 1fr 1fr",
            )
        ]

    def _download(self, kind: str) -> pmui.FileDownload:
        button = pmui.FileDownload(
            callback=lambda: self._file(kind), filename=f"selection.{kind}", label=kind.upper(),
            size="small", margin=0, embed=False, auto=True,
        )  # fmt: skip
        button.variant = "outlined"  # given above, it comes twice: Panel 1.9 warns of its own copy
        return button

    def _file(self, kind: str) -> io.BytesIO:
        measured = self._measured
        if measured is None or self.shown.value not in self._allowed(measured):
            return io.BytesIO()
        one = measured.maps[self.shown.value]
        with tempfile.TemporaryDirectory() as made:
            path = Path(made) / f"{file_name(one.name)}.{kind}"
            if kind == "pdf":
                from lens_triage.training.selection.figure import draw_selection  # slow to import

                draw_selection(one, file_name(one.name), cut=measured.cut).save(path.parent)
            else:
                (write_fits if kind == "fits" else write_ecsv)(one, path)
            return io.BytesIO(path.read_bytes())


def about_html(measured: MeasuredSelection, one: SelectionMap) -> str:
    """Sentences on a map: counts, expected lenses, purity, and what a reader must know."""
    cut = f"the machine's cut: {escape(measured.cut)}"
    lines = [
        f"<b>{one.found:,} of {one.total:,}</b> injected lenses are found by "
        f"{'all steps together' if one.name == COMBINED else escape(one.name)} ({cut})."
    ]
    if one.name == COMBINED:
        lines[0] += f" Steps: {escape(', '.join(measured.steps))}."
        if (expected := measured.expected) is not None:
            lines.append(
                f"Of {expected.covered:,.1f} lenses of the population with θ_E and S/N in the "
                f"injected range ({expected.total:,.1f} in all), <b>{expected.found:,.1f} "
                f"[{expected.low:,.1f}, {expected.high:,.1f}] are found</b>, a completeness of "
                f"{expected.completeness:.2f} [{expected.completeness_low:.2f}, "
                f"{expected.completeness_high:.2f}]. Population: "
                f"{escape(measured.population.source)}."
            )
    if one.name in measured.purity:
        found = measured.purity[one.name]
        lines.append(
            f"Purity at a class prior of {found.prior:g}: {found.value:.3g} [{found.low:.3g}, "
            f"{found.high:.3g}]."
        )
    lines += [escape(note) for note in measured.notes]
    return "".join(f"<p>{line}</p>" for line in lines)
