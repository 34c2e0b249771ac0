"""Placeholder for what is still being read: bars without text."""

from __future__ import annotations

from lens_triage.app.scripts import styles

SKELETON_CSS = styles("widgets/skeleton.css")


def skeleton(lines: int = 3) -> str:
    """Return the HTML of some bars; :func:`~.section.html` brings their style."""
    bars = "<span></span>" * lines
    return f'<div class="skeleton" role="status" aria-label="Loading">{bars}</div>'
