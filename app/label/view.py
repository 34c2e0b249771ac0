"""The labeling view: cutouts, keys and an outbox of grades, in one component of the browser.

The script talks with :mod:`lens_triage.app.label.handlers`, not over Bokeh's connection, so that
grading goes on, and no grade is lost, while that is gone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from lens_triage.app.scripts import bundle, styles
from lens_triage.app.theme import TOKENS_CSS
from lens_triage.app.viewer.start import VIEWER_STYLES, image_start

_STYLES = ("widgets/view.css", *VIEWER_STYLES, "label/view.css")


class LabelingView(JSComponent):
    """The view; ``start`` is what :meth:`~.service.LabelService.start` returned."""

    start = param.Dict(default={})

    _esm = bundle("label")
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, styles(*_STYLES)]

    def __init__(self, start: dict[str, Any], **params: Any) -> None:
        given = {**image_start(), **start}
        super().__init__(start=given, **{"sizing_mode": "stretch_both", "margin": 0, **params})
