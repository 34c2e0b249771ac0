"""The script that writes charts as PDF, and its font: sent when somebody asks for the first one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

from lens_triage.app.http.routes import Route
from lens_triage.app.scripts import bundle

_A_DAY = "private, max-age=86400"


class PdfWriterHandler(RequestHandler):
    """``GET /chart-pdf/<file>``: the script that writes charts as PDF, and its font."""

    def get(self, name: str) -> None:
        """Answer with the file."""
        if name not in _FILES:
            raise HTTPError(404)
        kind, read = _FILES[name]
        content = read()
        self.set_header("Content-Type", kind)
        self.set_header("Cache-Control", _A_DAY)
        self.finish(content)


def _font() -> bytes:
    """DejaVu Sans, which comes with matplotlib: Latin, Greek, mathematics, superscripts."""
    import matplotlib as mpl  # here: slow to import

    return (Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf").read_bytes()


_FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "writer": ("text/javascript; charset=utf-8", lambda: bundle("chart-pdf").encode()),
    "font": ("font/ttf", _font),
}


def routes() -> list[Route]:
    """Return the addresses of the writer of PDF and of its font."""
    return [("/chart-pdf/([a-z0-9]+)", PdfWriterHandler, {})]
