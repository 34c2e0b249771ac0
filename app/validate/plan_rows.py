"""Lines of the tables of a plan, and the addresses of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import Row, column
from lens_triage.training.followup import FollowUpSettings
from lens_triage.training.settings import fields
from lensing_core.errors import BadInputError
from lensing_core.followup.observability import Night
from lensing_core.followup.planning import Plan, PlannedTarget

NIGHT_COLUMNS = [
    column("night", "Evening", width="110px"),
    column("dark", "Dark, UTC", width="130px"),
    column("hours", "Hours", align="right", width="70px", help_text="Of dark time"),
    column("moon", "Moon lit", align="right", width="90px", help_text="Share of the disk"),
    column("up", "Moon up", align="right", width="90px", help_text="Share of the dark time"),
    column("rest", ""),
]
TARGET_COLUMNS = [
    column("order", "#", align="right", width="30px"),
    column("object", "Candidate", width="19%"),
    column("priority", "Priority", align="right", width="74px", help_text="Posterior × value"),
    column("posterior", "P(lens)", align="right", width="70px"),
    column("value", "Value", align="right", width="60px", help_text="Science value, 0 to 1"),
    column(
        "theta", "θ_E (″)", align="right", width="58px", help_text="Einstein radius, indicative"
    ),
    column(
        "arc", "Arc (AB)", align="right", width="120px", help_text="Isophotal, in its best band"
    ),
    column("surface", "μ", align="right", width="54px", help_text="mag per square arcsec"),
    column("hours", "Hours", align="right", width="60px", help_text="Up, in all nights"),
    column("best", "Best night", width="104px"),
    column("airmass", "Airmass", align="right", width="70px"),
    column("moon", "Moon", align="right", width="60px", help_text="Distance from the Moon"),
]
_FROM = {"grades": "Consensus of the graders", "score": "Score of the ensemble", "": ""}


def night_row(night: Night) -> Row:
    """A night."""
    dark = fmt.MISSING
    if night.dark_from is not None and night.dark_to is not None:
        dark = f"{night.dark_from:%H:%M}–{night.dark_to:%H:%M}"
    return {
        "key": night.evening.isoformat(),
        "night": night.evening.isoformat(),
        "dark": dark,
        "hours": f"{night.dark_hours:.1f}",
        "moon": fmt.percent(night.moon_illumination),
        "up": fmt.percent(night.moon_up_share),
        "rest": "",
    }


def target_row(plan: Plan, target: PlannedTarget, order: int) -> Row:
    """A target."""
    row, band, best = target.row, target.band, target.best_night
    night = None if best is None else target.nights[best]
    theta = {"text": fmt.number(target.theta_e, digits=2)}
    if target.fits is False:
        theta |= {"tone": "bad", "title": "Twice this does not fit into the slit or field"}
    return {
        "key": str(row["candidate"]),
        "order": str(order),
        "object": {
            "text": row.name,
            "title": f"{row.name} in {row.catalog}: open in Review",
            "href": address("review", candidate=row["candidate"]),
        },
        "priority": _three(target.priority),
        "posterior": {"text": _three(target.posterior), "title": _FROM[target.posterior_from]},
        "value": f"{target.value:.2f}",
        "theta": theta,
        "arc": _arc(target),
        "surface": fmt.MISSING
        if band is None or band.surface_brightness is None
        else f"{band.surface_brightness:.1f}",
        "hours": f"{target.hours:.1f}" if target.hours else {"text": "not up", "tone": "muted"},
        "best": fmt.MISSING
        if best is None or night is None
        else {
            "text": plan.nights[best].evening.isoformat(),
            "title": "" if night.best is None else f"Highest at {night.best:%H:%M} UTC",
        },
        "airmass": fmt.MISSING if night is None else f"{night.airmass:.2f}",
        "moon": fmt.MISSING if night is None else f"{night.moon_separation_deg:.0f}°",
    }


def plan_address(name: str, settings: FollowUpSettings) -> str:
    """Address of a file of a plan: the settings that are not the default, as words."""
    given = []
    for field in fields(FollowUpSettings):
        value = getattr(settings, field.name)
        if value == field.default:
            continue
        given += [(field.name, part) for part in (value if isinstance(value, list) else [value])]
    return f"follow-up/{name}" + (f"?{urlencode(given)}" if given else "")


def settings_of(arguments: Mapping[str, Sequence[str]]) -> FollowUpSettings:
    """Read the words that :func:`plan_address` wrote.

    Raises
    ------
    BadInputError
        If a word is unknown, or its value makes no sense.
    """
    known = {field.name for field in fields(FollowUpSettings)}
    for name in arguments:
        if name not in known:
            raise BadInputError(f"{name}: there is no such setting of a plan.")
    return FollowUpSettings(**given_by(arguments))


def given_by(arguments: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the values of settings among the words of an address; other words are left out.

    Raises
    ------
    BadInputError
        If a number is none.
    """
    known = {field.name: field for field in fields(FollowUpSettings)}
    values: dict[str, object] = {}
    for name, words in arguments.items():
        if name not in known or not words:
            continue
        default = known[name].default
        if isinstance(default, list):
            values[name] = list(words)
        elif name == "limit_mag" or isinstance(default, int | float):
            values[name] = _number(name, words[-1], whole=isinstance(default, int))
        else:
            values[name] = words[-1]
    return values


def _number(name: str, text: str, *, whole: bool) -> float | int:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        raise BadInputError(f"{name}: {text[:40]!r} is no number.") from None


def _three(value: float | None) -> str:
    return fmt.MISSING if value is None else f"{value:.3f}"


def _arc(target: PlannedTarget) -> str | dict[str, str]:
    band = target.band
    if band is None or band.magnitude is None or target.arc is None:
        return {"text": fmt.MISSING, "title": "No segment of light is bright enough"}
    error = "" if band.error is None else f" ± {band.error:.2f}"
    title = "; ".join(
        f"{one.band} {'>' if one.is_limit else ''}{one.magnitude:.2f}"
        for one in target.arc.bands
        if one.magnitude is not None
    )
    return {"text": f"{band.band} {band.magnitude:.2f}{error}", "title": title}
