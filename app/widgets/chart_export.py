"""The button of Bokeh's charts that saves them: as PNG, SVG and PDF, and the numbers as CSV.

The menu and the files are made in the browser (``chart_menu.js``), as for the charts that pages
draw by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bokeh.models import ColumnDataSource, CustomAction, CustomJS

SAVE = "Save this chart as PNG, SVG, PDF or CSV"
_TELL = """
export default (detail) =>
  document.dispatchEvent(new CustomEvent("lens-triage-save-chart", {detail}))
"""
_ICON = (
    "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<path d='M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11' fill='none' stroke='rgb(125,138,153)' "
    "stroke-width='1.4'/></svg>"
)


def add_export(
    plot: Any,
    title: str,
    sources: Mapping[str, ColumnDataSource] | ColumnDataSource,
    columns: Mapping[str, str],
) -> None:
    """Give a chart of Bokeh its button.

    Parameters
    ----------
    plot : bokeh.plotting.figure
    title : str
        Of the files.
    sources : ColumnDataSource, or mapping of str to ColumnDataSource
        What is drawn; of several, by the name of each series.
    columns : mapping of str to str
        Columns of the sources that are numbers of the chart, and their names in files, with units.
    """
    named = {"": sources} if isinstance(sources, ColumnDataSource) else dict(sources)
    callback = CustomJS(
        args={
            "plot": plot,
            "sources": list(named.values()),
            "names": list(named),
            "columns": dict(columns),
            "title": title,
        },
        code=_TELL,
    )
    for tool in plot.toolbar.tools:
        tool.visible = False  # they need no button
    plot.toolbar_location = "above" if plot.title.text else "right"
    plot.toolbar.logo = None
    plot.add_tools(CustomAction(name="save", description=SAVE, icon=_ICON, callback=callback))
