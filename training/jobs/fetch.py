"""Imports of positions alone: images are fetched from a service, then read as any others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import IngestSettings
from lens_triage.training.settings.ingest import FETCHING
from lensing_core.crossmatch.rate_limits import BACKOFF_S, ServiceError
from lensing_core.disk import require_space
from lensing_core.errors import BadInputError
from lensing_core.fetching.fetcher import Fetched, Fetcher, Manners
from lensing_core.fetching.kept import PATTERN, Kept
from lensing_core.fetching.services import Order
from lensing_core.ingest.positions_only import PositionList
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

MOST_REQUESTS = 100_000
"""For more, surveys offer files to download."""
_REPLY_S = 1.0  # a guess, for estimates
_HEADER_BYTES = 60_000  # of a file with a long header and its note
_MOST_TOLD = 5
Place = tuple[float, float]


@dataclass(frozen=True)
class FetchEstimate:
    """Estimate of a fetch.

    Attributes
    ----------
    n_positions, n_requests : int
        At the most; images that are kept are not asked for again.
    seconds : float
        With replies of a second.
    n_bytes : int
        On the disk.
    """

    n_positions: int
    n_requests: int
    seconds: float
    n_bytes: int


def estimate(settings: IngestSettings, positions: PositionList) -> FetchEstimate:
    """Return what fetching all images would take."""
    order = settings.order()
    n = len(positions.position_deg)
    n_requests = n * order.requests_per_object
    one = 4 * order.size_px**2 + _HEADER_BYTES
    return FetchEstimate(
        n,
        n_requests,
        n_requests * (float(settings.fetch_pause_s) + _REPLY_S),
        n * len(order.bands) * one,
    )


def check_fetch(workspace: Workspace, settings: IngestSettings, positions: PositionList) -> None:
    """Raise LensTriageError where images cannot be fetched, or should not; no service is asked."""
    order, needed = settings.order(), estimate(settings, positions)
    survey = get_survey(settings.survey or order.service.survey, workspace)
    for band in order.bands:
        survey.band(band)
    if needed.n_requests > MOST_REQUESTS:
        raise BadInputError(
            f"{needed.n_positions:,} positions would be {needed.n_requests:,} requests to "
            f"{order.service.title}; at most {MOST_REQUESTS:,} are sent. Take the images from the "
            "survey's own files, or import the table in parts."
        )
    require_space(workspace.root, needed.n_bytes, f"Fetching {needed.n_positions:,} images")


def fetched_folder(workspace: Workspace, order: Order) -> Kept:
    """Folder of the images of an order in a workspace."""
    return Kept.of(workspace.confine("cache/fetched"), order)


def fetch_images(
    context: JobContext, settings: IngestSettings, positions: PositionList
) -> IngestSettings:
    """Fetch what is not kept yet; return settings that read the files, as any import does.

    Raises
    ------
    ServiceError
        If the service cannot be reached. What has come is kept, and the run can be resumed.
    """
    check_fetch(context.workspace, settings, positions)
    order = settings.order()
    kept = fetched_folder(context.workspace, order)
    manners = Manners(float(settings.fetch_pause_s), float(settings.fetch_timeout_s), BACKOFF_S)
    fetcher = Fetcher(kept, manners)
    n = len(positions.position_deg)
    title = order.service.title
    context.log(
        f"Fetching {', '.join(order.bands)} of {n:,} positions from {title} ({order.address}"
        f"{f', {order.layer}' if order.layer else ''}), {order.size_px} px of "
        f"{order.scale_arcsec:g} arcsec. {order.service.facts}"
    )
    context.progress(0, n, f"Fetching images from {title}")
    places = [(float(ra), float(dec)) for ra, dec in positions.position_deg]
    came: dict[Place, Fetched] = {}
    again = []
    for k, place in enumerate(places):
        if fetcher.failed_before(*place):  # in an attempt that may have ended here
            again.append(place)
        else:
            came[place] = _fetch(fetcher, place)
            again += [place] * came[place].is_passing
        context.progress(k + 1, n)
    _ask_again(context, fetcher, again, came, title)
    _tell(context, came, title)
    return _reading(settings, order, kept.folder)


def _fetch(fetcher: Fetcher, place: Place) -> Fetched:
    try:
        return fetcher.fetch(*place)
    except ServiceError as problem:
        raise ServiceError(
            f"{problem} Images fetched so far are kept: resume the run to continue.",
            unreachable=problem.unreachable,
        ) from problem


def _ask_again(
    context: JobContext,
    fetcher: Fetcher,
    places: list[Place],
    came: dict[Place, Fetched],
    title: str,
) -> None:
    """Ask once more for what failed; that ends no run, for most images are there."""
    if places:
        context.progress(0, len(places), f"Asking {title} again for what failed")
    for k, place in enumerate(places):
        try:
            came[place] = fetcher.fetch(*place)
        except ServiceError as problem:
            context.log(f"{problem} The import goes on without them.", "warning")
            return
        context.progress(k + 1, len(places))


def _tell(context: JobContext, came: dict[Place, Fetched], title: str) -> None:
    asked = sum(fetched.asked for fetched in came.values())
    context.log(
        f"Positions asked for: {asked:,}; known from before, with or without an image: "
        f"{len(came) - asked:,}."
    )
    reasons = Counter(fetched.problem for fetched in came.values() if fetched.problem)
    for problem, count in reasons.most_common(_MOST_TOLD):
        context.log(f"{title}, {problem} (positions: {count:,}).", "warning")
    if len(reasons) > _MOST_TOLD:
        context.log(f"… and {len(reasons) - _MOST_TOLD:,} other problems.", "warning")


def _reading(settings: IngestSettings, order: Order, folder: Path) -> IngestSettings:
    """Settings of an import of the fetched files."""
    unset = IngestSettings().to_json()
    values = settings.to_json()
    values |= {name: unset[name] for name in values if name in FETCHING}
    zero_point = order.service.zero_point_of(order.layer)
    known = {} if zero_point is None else dict.fromkeys(order.bands, str(zero_point))
    values |= {
        "survey": settings.survey or order.service.survey,
        "images": str(folder),
        "image_kind": "fits_per_band",
        "pattern": PATTERN,
        "bands": list(order.bands),
        "pixel_scale_arcsec": 0.0,
        "zero_points": known | dict(settings.zero_points),
    }
    return IngestSettings.from_json(values)


def provenance(order: Order) -> dict[str, Any]:
    """Provenance of a catalog's images; that of each file is stored beside it."""
    return {
        "service": order.service.title,
        **{name: value for name, value in order.to_json().items() if name != "service"},
        "pixels": order.service.facts,
    }
