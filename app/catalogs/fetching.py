"""Images that are fetched for positions: what is asked of which service, and how long it takes."""

from __future__ import annotations

from html import escape

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.fields import Choices
from lens_triage.training.jobs.fetch import FetchEstimate
from lens_triage.training.settings import IngestSettings
from lensing_core.fetching.services import CUTOUT_SERVICES

FETCH_CSS = """
p { margin: 0 0 6px; line-height: 1.5; }
p:last-child { margin: 0; }
p.aside { color: var(--lt-muted); font-size: 12.5px; }
"""


def image_sources() -> Choices:
    """Choices of where images come from: files, or one of the services."""
    services = {
        f"Positions only: fetch from {service.title}": service.key
        for service in CUTOUT_SERVICES.values()
    }
    return {"Files on this machine": "", **services}


def manners_html(key: str) -> str:
    """Return what a service gives, and how it is asked; '' for files."""
    if key not in CUTOUT_SERVICES:
        return ""
    service = CUTOUT_SERVICES[key]
    usual = [
        *([f"layer {service.layer}"] if service.layer else []),
        f"bands {', '.join(service.bands)}",
        f"{service.scale_arcsec:g}″ per pixel",
        f"survey {service.survey}",
    ]
    return (
        f"<p>{escape(service.facts)} Defaults: {escape('; '.join(usual))}.</p>"
        '<p class="aside">The import requests one image at a time, with a pause after each, and '
        "waits if the service is busy. Images are stored in the workspace and never requested "
        "twice. The positions are sent to the service, but only once the import has started; "
        "Preview estimates how long it takes.</p>"
    )


def estimate_html(settings: IngestSettings, needed: FetchEstimate | None) -> str:
    """Return what an import would fetch, and for how long; '' where nothing is fetched."""
    if needed is None:
        return ""
    order = settings.order()
    time = fmt.duration(needed.seconds)
    return (
        f"<p>{fmt.plural(needed.n_positions, 'position')}, bands {escape(', '.join(order.bands))}, "
        f"{order.size_px} px of {order.scale_arcsec:g}″ "
        f"({fmt.number(order.size_arcsec)}″): {fmt.plural(needed.n_requests, 'request')} to "
        f"{escape(order.service.title)}, about {time}, {fmt.file_size(needed.n_bytes)} on the "
        'disk.</p><p class="aside">Images that are in the workspace already are not '
        "requested again; the estimate assumes one second per reply.</p>"
    )
