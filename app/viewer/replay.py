"""A cutout drawn again as an event of the log says that it was seen, and what has changed since."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from lens_triage.app.viewer.start import image_start
from lens_triage.app.viewer.tile_request import RENDERING, TileRequest
from lens_triage.app.viewer.tile_source import TileSource
from lensing_core.consensus.schemes import REJECT_REASONS, SCHEMES
from lensing_core.errors import LensTriageError
from lensing_core.imaging import LOOKS, STRETCH_KINDS, AsinhStretch, Layer
from lensing_core.store.replays import SeenEvent

SIDE_PX = 512
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_CSS = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; max-width: 60rem;
  margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .8rem; } h2 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
.seen { display: flex; flex-wrap: wrap; gap: 1.6rem; align-items: flex-start; }
.seen img { width: 512px; max-width: 100%; height: auto; background: #000; border-radius: 4px; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top;
  padding: .15rem 1.2rem .15rem 0; } th { font-weight: 500; opacity: .75; white-space: nowrap; }
td { overflow-wrap: anywhere; }
ul { border-left: 4px solid #d98e04; padding: .3rem 0 .3rem 1.5rem; margin: .8rem 0; }
.same { border-left: 4px solid #2e8b57; padding: .3rem 0 .3rem .8rem; }
"""


@dataclass(frozen=True)
class Replay:
    """An event, the picture of it, and what cannot be as it was.

    Attributes
    ----------
    png : bytes
        The picture; empty where it cannot be drawn.
    drawn : dict
        How it was drawn, for people.
    changed : tuple of str
        One sentence for each thing that is, or may be, other than it was; none: it is the same.
    """

    event: SeenEvent
    png: bytes
    drawn: dict[str, str]
    changed: tuple[str, ...]


def replay(source: TileSource, event: SeenEvent) -> Replay:
    """Draw again what the grader saw; the pixels are checked by their hash first."""
    changed: list[str] = []
    drawn: dict[str, str] = {}
    png = b""
    try:
        now = source.sha256(event.catalog, event.cutout_index)
        if now != event.cutout_sha256:
            changed.append(
                f"The pixels are not those that were imported: their SHA-256 is {now}, and was "
                f"{event.cutout_sha256}."
            )
        png, drawn = _draw(source, event, changed)
    except LensTriageError as error:
        changed.append(f"The picture cannot be drawn again: {error}")
    if event.undone:
        changed.append("This grade has been undone since.")
    if event.ensemble:
        changed.append(
            f"A score of ensemble {event.ensemble} was visible; its value is not recorded."
        )
    return Replay(event, png, drawn, tuple(changed))


def _draw(source: TileSource, event: SeenEvent, changed: list[str]) -> tuple[bytes, dict[str, str]]:
    """The picture as PNG, and how it was drawn; notes what the event does not say."""
    view = event.view
    opened = source.catalog(event.catalog, event.cutout_index)
    geometry = opened.store.geometry
    rendered = geometry.pixel_kind == "rendered"
    if not view:
        changed.append(
            f"The event ({_source_of(event)}) does not say how the picture was drawn: this is the "
            "standard view."
        )
    elif not rendered and view.get("rendering") != f"{RENDERING:x}":
        changed.append(
            "The event is from a version that drew pictures in another way, or did not record "
            "how: colors may differ."
        )
    band = view.get("band")
    if band is not None and band not in geometry.bands:
        changed.append(f"Band {band}, which was shown, is no longer in the catalog.")
        band = None
    triple = _triple(view, geometry.bands)
    request = TileRequest(
        kind="rgb" if band is None else "band",
        bands=triple if band is None and not rendered else None,
        band=band,
        layer=_layer(view, rendered),
        look=view["look"] if view.get("look") in LOOKS else LOOKS[0],
        curve=view["curve"] if view.get("curve") in STRETCH_KINDS else STRETCH_KINDS[0],
        parameters=_stretch(view),
        format="png",
    )
    picture = Image.open(io.BytesIO(source.draw(event.catalog, event.cutout_index, request)))
    pixels = np.array(picture.convert("RGBA"))
    if band is not None:
        pixels = _colored(pixels, str(view.get("palette", "")))
    if view.get("invert"):
        pixels[..., :3] = 255 - pixels[..., :3]
    how = Image.Resampling.BICUBIC if view.get("smooth") else Image.Resampling.NEAREST
    large = Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), how)
    stream = io.BytesIO()
    large.save(stream, "PNG")
    return stream.getvalue(), _told(view, band, triple, request)


def _triple(view: dict[str, Any], bands: tuple[str, ...]) -> tuple[str, ...] | None:
    """Bands shown as red, green and blue; None for those of the survey."""
    found = view.get("rgb") or (view.get("triples") or {}).get(",".join(bands))
    if not isinstance(found, list) or len(found) != 3:
        return None
    triple = tuple(str(name) for name in found)
    return triple if all(not name or name in bands for name in triple) else None


def _layer(view: dict[str, Any], rendered: bool) -> Layer:
    if rendered:
        return "image"
    if view.get("light"):
        return "residual-snr" if view.get("snr") else "residual"
    return "snr" if view.get("snr") else "image"


def _stretch(view: dict[str, Any]) -> AsinhStretch | None:
    if view.get("preset") == "auto":
        return None
    given = {name: view.get(name) for name in ("stretch", "black", "q")}
    known = {name: float(v) for name, v in given.items() if isinstance(v, int | float)}
    return AsinhStretch(**known)


def _colored(pixels: np.ndarray, palette: str) -> np.ndarray:
    """A gray picture in a color map, as browsers draw it."""
    text = image_start()["palettes"].get(palette)
    if text is None:
        return pixels
    table = np.frombuffer(bytes.fromhex(text), dtype=np.uint8).reshape(256, 3)
    return np.dstack([table[pixels[..., 0]], pixels[..., 3]])


def _told(
    view: dict[str, Any], band: str | None, triple: tuple[str, ...] | None, request: TileRequest
) -> dict[str, str]:
    """Description of the picture's drawing, for people."""
    told = {"Shown": f"band {band}" if band else "color"}
    if band is None:
        told["Red, green, blue"] = (
            ", ".join(n or "mean" for n in triple) if triple else "as surveyed"
        )
        told["Look"] = request.look
    else:
        told["Stretch of the band"] = f"{request.curve}, {view.get('palette', 'gray')}"
    if request.parameters is None:
        told["Stretch"] = "suited to the object"
    else:
        p = request.parameters
        told["Stretch"] = f"black {p.black:g} σ, linear below {p.stretch:g} σ, Q {p.q:g}"
    if request.layer != "image":
        told["Layer"] = request.layer
    marks = [name for name in ("invert", "smooth") if view.get(name)]
    if marks:
        told["And"] = ", ".join(marks)
    if view.get("mode") == "mosaic":
        told["Page"] = f"mosaic of {view.get('columns', '?')} × {view.get('rows', '?')}"
    elif view.get("mode"):
        told["Page"] = str(view["mode"])
    return told


def _source_of(event: SeenEvent) -> str:
    if event.source == "api":
        return "given by a program"
    return "of an older version" if event.source == "browser" else f"imported from {event.source}"


def facts(found: Replay) -> dict[str, str]:
    """Description of the event from the log, for people."""
    e = found.event
    grade = e.grade or e.kind
    if e.scheme in SCHEMES:
        grade = f"{grade} ({SCHEMES[e.scheme].title})"
    told = {
        "Event": f"{e.uuid}, number {e.id:,} of the log",
        "Grader": e.grader,
        "Grade": grade,
        "Object": f"{e.object_id} in {e.catalog}",
        "Given": f"{e.given_at:%Y-%m-%d %H:%M:%S} UTC",
        "Session": e.session or "none (Review, or an import)",
        "Order": f"{e.nth:,} of {e.n_of_grader:,} of the grader there",
        "Blind": _yes_or_no(e.visible.get("blind")),
    }
    if e.queue_position is not None:
        told["Place in the queue"] = f"{e.queue_position:,} of {e.n_items or 0:,}"
    if e.reject_reason:
        told["Reason"] = REJECT_REASONS.get(e.reject_reason, e.reject_reason)
    if e.shown_ms is not None:
        told["On screen for"] = f"{e.shown_ms / 1000:.1f} s"
    if e.is_repeat:
        told["Repeat"] = "shown again to the same grader"
    if e.is_gold:
        told["Gold standard"] = "yes"
    if isinstance(e.visible.get("votes_of_others"), int):
        told["Grades of others"] = f"{e.visible['votes_of_others']:,} at that time"
    return told


def _yes_or_no(value: object) -> str:
    return "not noted" if value is None else "yes" if value else "no"


SAME = "Pixels, stretch and bands are as they were."


def replay_lines(found: Replay) -> list[str]:
    """Sentences of the page, as lines of text."""
    told = {**facts(found), **found.drawn}
    return [*(f"{name}: {value}" for name, value in told.items()), *(found.changed or (SAME,))]


def replay_html(found: Replay) -> str:
    """One document without scripts: the picture, how it was drawn, and what has changed."""
    image = base64.b64encode(found.png).decode()
    picture = f'<img alt="The cutout as it was seen" src="data:image/png;base64,{image}">'
    changed = f'<p class="same">{SAME}</p>'
    if found.changed:
        lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in found.changed)
        changed = f'<ul aria-label="Changed since">{lines}</ul>'
    title = f"What {found.event.grader} saw of {found.event.object_id}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{changed}\n"
        f'<div class="seen">{picture if found.png else ""}<div>'
        f"<h2>Event</h2>{_table(facts(found))}<h2>Picture</h2>{_table(found.drawn)}</div></div>\n"
        "</body>\n</html>\n"
    )


def _table(pairs: dict[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in pairs.items()
    )
    return f"<table>{rows}</table>"
