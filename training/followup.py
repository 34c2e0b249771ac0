"""Follow-up plans from settings: the Validate page and the command line make them here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings import RunSettings
from lensing_core.cutouts import CutoutStore
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError
from lensing_core.export.pictures import CutoutSource
from lensing_core.followup import charts, tables
from lensing_core.followup.instruments import find_instrument
from lensing_core.followup.observability import MOST_NIGHTS, Limits
from lensing_core.followup.offset_stars import offset_stars
from lensing_core.followup.photometry import ArcPhotometry, measure_arc
from lensing_core.followup.planning import Plan, PlanRequest, make_plan
from lensing_core.followup.priority import ScienceWeights
from lensing_core.followup.sites import Site, find_site, known_sites
from lensing_core.store import Session, open_database
from lensing_core.store.candidates import cutout_places, no_candidate
from lensing_core.store.catalogs import catalogs_with_candidates
from lensing_core.store.ensembles import by_preference, find_ensemble
from lensing_core.store.follow_up import follow_up_rows, known_lens_states
from lensing_core.store.stages import prior_models
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import STAGES
from lensing_core.workspace import Workspace

MOST = 500
_WEIGHTS = ("brightness", "einstein_radius", "lens_redshift", "new", "lens_test")


class FollowUpSettings(RunSettings):
    """Plan observations of candidates: when they are up, how bright their arcs are, which first."""

    kind = "followup"
    units: ClassVar = {
        "sun_altitude_max": "°",
        "moon_separation_min": "°",
        "limit_mag": "mag",
    }
    titles: ClassVar = {
        "most": "At most",
        "sun_altitude_max": "Sun below",
        "moon_separation_min": "Moon from",
        "limit_mag": "Limit (AB)",
        **{f"weight_{name}": name.replace("_", " ").capitalize() for name in _WEIGHTS},
    }
    groups: ClassVar = {
        "Nights": (
            *("site", "coordinates", "first_night", "nights"),
            *("airmass_max", "sun_altitude_max", "moon_separation_min"),
        ),
        "Candidates": ("instrument", "limit_mag", "stages", "most", "ensemble"),
        "Weights of the science value": tuple(f"weight_{name}" for name in _WEIGHTS),
    }

    site = param.String(default="paranal", doc="Key of a site (lens-triage followup sites).")
    coordinates = param.String(
        default="",
        doc="In place of the site: longitude, latitude (degrees, east and north positive), height "
        "(m).",
    )
    first_night = param.String(
        default="", doc="Date of the first evening at the site, YYYY-MM-DD; empty: today."
    )
    nights = param.Integer(default=1, bounds=(1, MOST_NIGHTS), doc="Nights from then on.")
    airmass_max = param.Number(default=2.0, bounds=(1.0, 10.0), doc="Largest airmass (sec z).")
    sun_altitude_max = param.Number(
        default=-18.0, bounds=(-30.0, 0.0), doc="Altitude of the Sun below which it is dark."
    )
    moon_separation_min = param.Number(
        default=30.0, bounds=(0.0, 180.0), doc="Least distance from the Moon while it is up."
    )
    instrument = param.String(
        default="muse", doc="Key of an instrument; more in instruments.toml of the workspace."
    )
    limit_mag = param.Number(
        default=None,
        bounds=(0.0, 40.0),
        allow_None=True,
        doc="Limiting magnitude in place of the instrument's, from its exposure time calculator.",
    )
    stages: Any = param.ListSelector(
        default=["confirmation"], objects=list(STAGES), doc="Stages whose candidates are planned."
    )
    most = param.Integer(
        default=50, bounds=(1, MOST), doc="So many candidates, those with the highest posterior."
    )
    ensemble = param.String(
        default="", doc="Whose score counts where graders have none; empty: the promoted one."
    )
    weight_brightness = param.Number(
        default=1.0, bounds=(0.0, 1000.0), doc="Arc brighter than the limit."
    )
    weight_einstein_radius = param.Number(
        default=1.0, bounds=(0.0, 1000.0), doc="Large Einstein radius."
    )
    weight_lens_redshift = param.Number(
        default=0.5, bounds=(0.0, 1000.0), doc="Redshift of the lens known."
    )
    weight_new = param.Number(
        default=1.0, bounds=(0.0, 1000.0), doc="No known lens in the cross-matches."
    )
    weight_lens_test = param.Number(
        default=1.0, bounds=(0.0, 1000.0), doc="The lens test supports a lens."
    )

    def title(self) -> str:
        return f"Follow-up from {self.coordinates or self.site}"

    def check(self) -> None:
        self.evening()
        if not self.stages:
            raise BadInputError("Stages: choose at least one.")

    def place(self) -> Site:
        """The site; raises BadInputError where there is none of that name."""
        return find_site(self.coordinates.strip() or self.site)

    def evening(self) -> date:
        """Date of the first evening; raises BadInputError for what is no date."""
        longitude = ((self.place().longitude_deg + 180) % 360) - 180
        if not self.first_night.strip():
            return (datetime.now(UTC) + timedelta(hours=longitude / 15)).date()
        try:
            return date.fromisoformat(self.first_night.strip())
        except ValueError:
            raise BadInputError(
                f"First night {self.first_night!r}: give a date such as 2026-12-24."
            ) from None

    def weights(self) -> ScienceWeights:
        """The weights."""
        return ScienceWeights(**{name: getattr(self, f"weight_{name}") for name in _WEIGHTS})


def plan_follow_up(
    workspace: Workspace, settings: FollowUpSettings, *, hides_blind: bool = False
) -> Plan:
    """Plan the candidates that the settings choose.

    Parameters
    ----------
    hides_blind : bool, optional
        Whether what graders say of candidates in open blind sessions counts as nothing.

    Raises
    ------
    BadInputError
        If a setting makes no sense, or there is no candidate.
    """
    settings.check()
    request = PlanRequest(
        settings.place(),
        find_instrument(settings.instrument, workspace),
        settings.evening(),
        settings.nights,
        Limits(settings.airmass_max, settings.sun_altitude_max, settings.moon_separation_min),
        settings.weights(),
        settings.limit_mag,
    )
    with open_database(workspace).session() as session:
        rows = follow_up_rows(
            session,
            settings.stages,
            _ensemble_id(session, settings.ensemble),
            settings.most,
            hides_blind=hides_blind,
        )
        ids = [int(row["candidate"] or 0) for row in rows]
        known = known_lens_states(session, ids) | prior_models(session, ids)
        source = cutouts_of(session, workspace)
    if not rows:
        raise BadInputError(
            f"No candidate is in stage {' or '.join(settings.stages)}, simulated ones apart: move "
            "some there first, or choose other stages."
        )
    return make_plan(rows, source, request, known)


def measure_candidate(workspace: Workspace, candidate_id: int) -> ArcPhotometry | None:
    """Measure the arc of one candidate; None where there is no segment of light."""
    with open_database(workspace).session() as session:
        place = cutout_places(session, [candidate_id]).get(candidate_id)
    if place is None:
        raise no_candidate(candidate_id)
    store = CutoutStore(workspace.catalog_cutouts(place.catalog))
    variance = store.read_variance(place.cutout_index) if store.has_variance else None
    return measure_arc(store.read(place.cutout_index), store.geometry, variance)


def cutouts_of(session: Session, workspace: Workspace) -> CutoutSource:
    """The cutouts of all catalogs of a workspace."""
    return CutoutSource(
        workspace,
        {
            c.name: c.survey.definition.get("rgb_bands") or ()
            for c in catalogs_with_candidates(session, archived=True)
        },
    )


def _ensemble_id(session: Session, name: str) -> int | None:
    if name:
        return find_ensemble(session, name).id
    first = next(iter(by_preference(list_ensembles(session))), None)
    return None if first is None else first.id


@dataclass(frozen=True)
class PlanFormat:
    """A file that a plan is written to: for people, its name, and what it is."""

    title: str
    file_name: str
    media_type: str


PLAN_FORMATS: dict[str, PlanFormat] = {
    "csv": PlanFormat("Target list, CSV", "targets.csv", "text/csv"),
    "votable": PlanFormat("Target list, VOTable", "targets.vot", "application/x-votable+xml"),
    "ds9": PlanFormat("DS9 regions", "targets.reg", "text/plain"),
    "latex": PlanFormat("Proposal table, LaTeX", "targets.tex", "text/x-tex"),
    "charts": PlanFormat("Finding charts, PDF", "finding-charts.pdf", "application/pdf"),
}
_TABLES: dict[str, Callable[[Path, Plan, tables.Stars], int]] = {
    "csv": tables.write_targets_csv,
    "votable": tables.write_targets_votable,
    "ds9": tables.write_targets_regions,
    "latex": tables.write_proposal_table,
}


def write_plan(workspace: Workspace, plan: Plan, name: str, path: Path) -> int:
    """Write a plan in a format of :data:`PLAN_FORMATS`; returns how many targets it holds.

    Raises
    ------
    BadInputError
        If the format is unknown, there is no target, or the file cannot be written.
    """
    if name not in PLAN_FORMATS:
        raise BadInputError(f"Format {name!r}: choose one of {', '.join(PLAN_FORMATS)}.")
    if not plan.targets:
        raise BadInputError("The plan has no target with a position.")
    stars = offset_stars(
        workspace, [(t.row.number("ra"), t.row.number("dec")) for t in plan.targets]
    )
    try:
        with replacing(path) as beside:
            if name in _TABLES:
                return _TABLES[name](beside, plan, stars)
            with open_database(workspace).session() as session:
                source = cutouts_of(session, workspace)
            return charts.write_charts(beside, plan, stars, source)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.") from error


def site_choices() -> dict[str, str]:
    """Names of sites for people, to their keys."""
    return {site.name: key for key, site in known_sites().items()}
