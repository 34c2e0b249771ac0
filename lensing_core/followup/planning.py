"""A plan: candidates with their priority, the brightness of their arcs, and when they are up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from lensing_core.export.columns import ExportRow
from lensing_core.export.pictures import CutoutSource
from lensing_core.followup.instruments import Instrument
from lensing_core.followup.observability import (
    Limits,
    Night,
    NightOfTarget,
    observe,
    orientation_note,
)
from lensing_core.followup.photometry import ArcPhotometry, BandBrightness, measure_arc
from lensing_core.followup.priority import (
    ScienceCriteria,
    ScienceWeights,
    brightness_value,
    radius_value,
    redshift_value,
    science_value,
    test_value,
)
from lensing_core.followup.sites import Site


@dataclass(frozen=True)
class PlanRequest:
    """Request for a plan.

    Attributes
    ----------
    site : Site
    instrument : Instrument
    first_night : date
        Civil date of its evening at the site.
    n_nights : int
    limits : Limits
    weights : ScienceWeights
    limit_mag : float or None
        In place of that of the instrument.
    """

    site: Site
    instrument: Instrument
    first_night: date
    n_nights: int = 1
    limits: Limits = field(default_factory=Limits)
    weights: ScienceWeights = field(default_factory=ScienceWeights)
    limit_mag: float | None = None

    @property
    def faintest(self) -> float | None:
        """The limiting magnitude that counts."""
        return self.instrument.limit_mag if self.limit_mag is None else self.limit_mag


@dataclass(frozen=True)
class PlannedTarget:
    """A candidate of a plan.

    Attributes
    ----------
    row : ExportRow
    posterior : float or None
        P(lens): of the graders where there is a consensus, else of the ensemble.
    posterior_from : str
        ``grades``, ``score`` or ''.
    arc : ArcPhotometry or None
        None where no segment of light is found, or the catalog holds pictures.
    theta_e : float or None
        Einstein radius, arcsec, indicative: of the lens test, else the radius of the arc, as the
        catalog has it or as measured here, else what the catalog's columns suggest.
    value : float
        Science value, 0 to 1.
    priority : float or None
        Posterior × value.
    nights : tuple of NightOfTarget
    fits : bool or None
        Whether twice the Einstein radius fits into the slit or field; None: no radius known.
    """

    row: ExportRow
    posterior: float | None
    posterior_from: str
    arc: ArcPhotometry | None
    theta_e: float | None
    value: float
    priority: float | None
    nights: tuple[NightOfTarget, ...]
    fits: bool | None

    @property
    def hours(self) -> float:
        """Hours in all nights together."""
        return sum(night.hours for night in self.nights)

    @property
    def best_night(self) -> int | None:
        """The night with most hours, the first of them; None where it is never up."""
        most = max((night.hours for night in self.nights), default=0.0)
        if not most:
            return None
        return next(k for k, night in enumerate(self.nights) if night.hours == most)

    @property
    def band(self) -> BandBrightness | None:
        """The band in which its arc is measured best."""
        return None if self.arc is None else self.arc.brightest


@dataclass(frozen=True)
class Plan:
    """Targets in the order of their priority, those that are never up last.

    Attributes
    ----------
    request : PlanRequest
    nights : tuple of Night
    targets : tuple of PlannedTarget
    unplaced : tuple of str
        Candidates without a position, which cannot be planned.
    notes : tuple of str
        Sentences that belong to the plan.
    """

    request: PlanRequest
    nights: tuple[Night, ...]
    targets: tuple[PlannedTarget, ...]
    unplaced: tuple[str, ...]
    notes: tuple[str, ...]


def make_plan(
    rows: Sequence[ExportRow],
    source: CutoutSource,
    request: PlanRequest,
    known_lenses: Mapping[int, bool],
) -> Plan:
    """Plan candidates.

    Parameters
    ----------
    rows : sequence of ExportRow
    source : CutoutSource
    request : PlanRequest
    known_lenses : mapping of int to bool
        By candidate: whether cross-matches found a known lens; left out: not cross-matched.
    """
    placed = [row for row in rows if row["ra"] is not None and row["dec"] is not None]
    seen = observe(
        request.site,
        request.first_night,
        request.n_nights,
        [row.number("ra") for row in placed],
        [row.number("dec") for row in placed],
        request.limits,
    )
    targets = [
        _target(row, source, request, known_lenses, nights)
        for row, nights in zip(placed, seen.of_targets, strict=True)
    ]
    targets.sort(key=lambda t: (t.hours == 0, -(t.priority if t.priority is not None else -1.0)))
    last = request.first_night + timedelta(days=request.n_nights)
    return Plan(
        request,
        seen.nights,
        tuple(targets),
        tuple(row.name for row in rows if row not in placed),
        tuple(note for note in (_limit_note(request), orientation_note(last)) if note),
    )


def _target(
    row: ExportRow,
    source: CutoutSource,
    request: PlanRequest,
    known_lenses: Mapping[int, bool],
    nights: tuple[NightOfTarget, ...],
) -> PlannedTarget:
    store = source.catalog(row.catalog).store
    variance = store.read_variance(row.cutout_index) if store.has_variance else None
    arc = measure_arc(source.pixels(row), store.geometry, variance)
    posterior, origin = _posterior(row)
    radius = _einstein_radius(row, arc)
    known = known_lenses.get(int(row["candidate"] or 0))
    best = None if arc is None else arc.brightest
    criteria = ScienceCriteria(
        brightness_value(None if best is None else best.magnitude, request.faintest),
        radius_value(radius),
        redshift_value(_number(row, "z_spec"), _number(row, "z_phot")),
        None if known is None else float(not known),
        test_value(str(row["lens_test"] or "")),
    )
    value = science_value(criteria, request.weights)
    return PlannedTarget(
        row,
        posterior,
        origin,
        arc,
        radius,
        value,
        None if posterior is None else posterior * value,
        nights,
        None if radius is None else request.instrument.holds(2 * radius),
    )


def _einstein_radius(row: ExportRow, arc: ArcPhotometry | None) -> float | None:
    if row["lens_test"] == "supports" and (tested := _number(row, "lens_test_theta_e")):
        return tested
    measured = None if arc is None else arc.radius_arcsec
    return _number(row, "arc_radius") or measured or _number(row, "theta_e_proxy")


def _posterior(row: ExportRow) -> tuple[float | None, str]:
    for name, origin in (("consensus", "grades"), ("probability", "score")):
        if (value := _number(row, name)) is not None:
            return value, origin
    return None, ""


def _number(row: ExportRow, name: str) -> float | None:
    value = row.number(name)
    return None if value != value else value


def _limit_note(request: PlanRequest) -> str:
    name = request.instrument.name
    if request.limit_mag is not None:
        return f"Limit for {name}: {request.limit_mag:g} mag, as typed."
    if request.instrument.limit_mag is None:
        return f"No limiting magnitude is known for {name}: type one, or brightness counts half."
    note = request.instrument.limit_note
    return f"Limit for {name}: {request.instrument.limit_mag:g} mag" + (
        f" ({note})." if note else "."
    )
