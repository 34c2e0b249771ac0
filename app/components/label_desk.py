"""The labeling desk: stamps, keys and an outbox of grades, in one component of the browser.

The script talks with :mod:`app.label_handlers`, not over Bokeh's connection, so that grading goes
on, and no grade is lost, while that is gone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from app.components.image_viewer import IMAGE_SCRIPTS, IMAGE_STYLES, image_start
from app.theme import TOKENS_CSS

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "review_dom.js",
    "own_server.js",
    *IMAGE_SCRIPTS,
    "review_keys.js",
    "label_keys.js",
    "label_outbox.js",
    "label_queue.js",
    "label_single.js",
    "label_mosaic.js",
    "label_panel.js",
    "label_desk.js",
)
_STYLES = ("review_desk.css", *IMAGE_STYLES, "label_desk.css")


def _read(names: tuple[str, ...]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


class LabelDesk(JSComponent):
    """The desk; ``start`` is what :meth:`app.label_service.LabelService.start` returned."""

    start = param.Dict(default={})

    _esm = _read(_SCRIPTS)
    _stylesheets: ClassVar[list[str]] = [TOKENS_CSS, _read(_STYLES)]

    def __init__(self, start: dict[str, Any], **params: Any) -> None:
        given = {**image_start(), **start}
        super().__init__(start=given, **{"sizing_mode": "stretch_both", "margin": 0, **params})
