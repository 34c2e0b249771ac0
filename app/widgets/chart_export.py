"""Buttons of a chart that save it: PNG and SVG as it is shown, its numbers as CSV.

All is done in the browser. The buttons appear when the pointer is over the chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bokeh.models import ColumnDataSource, CustomAction, CustomJS

from lens_triage.app.scripts import styles

_TEXTS = {"png": "Save as PNG", "svg": "Save as SVG", "csv": "Save the data as CSV"}
_ICON = (
    "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<text x='16' y='21' font-family='sans-serif' font-size='13' font-weight='600' "
    "text-anchor='middle' fill='rgb(125,138,153)'>{}</text></svg>"
)


@cache
def _script() -> str:
    return styles("widgets/chart_export.js")


def add_export(
    plot: Any, title: str, sources: Mapping[str, ColumnDataSource] | ColumnDataSource
) -> None:
    """Give a chart of Bokeh its buttons.

    Parameters
    ----------
    plot : bokeh.plotting.figure
    title : str
        Of the files.
    sources : ColumnDataSource, or mapping of str to ColumnDataSource
        What is drawn; of several, by the name of each series.
    """
    named = {"": sources} if isinstance(sources, ColumnDataSource) else dict(sources)
    callback = CustomJS(
        args={
            "plot": plot,
            "sources": list(named.values()),
            "names": list(named),
            "title": title,
        },
        code=_script(),
    )
    for tool in plot.toolbar.tools:
        tool.visible = False  # they need no button
    plot.toolbar_location = "right"
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.add_tools(
        *(
            CustomAction(
                name=kind, description=text, icon=_ICON.format(kind.upper()), callback=callback
            )
            for kind, text in _TEXTS.items()
        )
    )
