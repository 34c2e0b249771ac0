"""Small pictures of candidates, each a link to its review."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lens_triage.app.theme import PICTURE_CSS
from lens_triage.app.viewer.tiles import tile_url
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lensing_core.store.summaries import Thumbnail

THUMBNAILS_CSS = (
    PICTURE_CSS
    + """
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px;
  grid-template-columns: repeat(var(--per-row), minmax(0, 1fr)); }
@media (max-width: 900px) { ul { grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); } }
li { min-width: 0; }
a { display: block; color: inherit; border-radius: 6px; }
a:hover { text-decoration: none; }
img { display: block; width: 100%; aspect-ratio: 1; border-radius: 6px;
  image-rendering: pixelated; font-size: 10.5px; color: var(--lt-muted); overflow: hidden; }
a:hover img { outline: 2px solid var(--lt-accent); outline-offset: 1px; }
.caption { display: flex; justify-content: space-between; gap: 6px; font-size: 11px;
  line-height: 17px; margin-top: 2px; }
.caption span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  color: var(--lt-muted); }
p { margin: 0; color: var(--lt-muted); }
"""
)
_LABELS = {1: "lens", 0: "not a lens"}


def thumbnails_html(
    thumbnails: Sequence[Thumbnail],
    *,
    catalog: str,
    per_row: int,
    ensemble: str = "",
    empty: str = "",
) -> str:
    """A grid of pictures with the probability, or the imported label, below each."""
    if not thumbnails:
        return f"<p>{escape(empty)}</p>" if empty else ""
    items = []
    for item in thumbnails:
        href = address("review", catalog=catalog, ensemble=ensemble, candidate=item.candidate_id)
        source = tile_url(catalog, item.cutout_index, item.cutout_sha256, size=96)
        label = _LABELS.get(item.label, "") if item.label is not None else ""
        metric = fmt.number(item.probability) if item.probability is not None else label
        title = item.object_id + (f", imported as {label}" if label else "")
        items.append(
            f'<li><a href="{escape(href)}" title="{escape(title)}">'
            f'<img src="{escape(source)}" alt="" loading="lazy">'
            f'<div class="caption"><span>{escape(item.object_id)}</span>'
            f"<span>{metric}</span></div></a></li>"
        )
    return f'<ul style="--per-row: {per_row}">{"".join(items)}</ul>'
