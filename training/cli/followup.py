"""``lens-triage followup``: plan observations, and write target lists and finding charts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lens_triage.training.cli.console import console
from lens_triage.training.cli.types import WorkspaceArgument, option_of, parse_option
from lens_triage.training.followup import (
    PLAN_FORMATS,
    FollowUpSettings,
    plan_follow_up,
    write_plan,
)
from lens_triage.training.settings import fields
from lensing_core.followup.instruments import read_instruments
from lensing_core.followup.planning import Plan
from lensing_core.followup.sites import known_sites
from lensing_core.workspace import Workspace

followup = typer.Typer(help="Observations of candidates at telescopes.", no_args_is_help=True)
_OUTPUT = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the target lists (CSV, VOTable, DS9), the proposal table (LaTeX) and the "
        "finding charts (PDF).",
        show_default=False,
    ),
]


def _plan() -> Callable[..., None]:
    known = fields(FollowUpSettings)

    def plan(workspace: Path, output: Path | None = None, **values: Any) -> None:
        opened = Workspace.open(workspace)
        chosen = FollowUpSettings(**{f.name: parse_option(f, values[f.name]) for f in known})
        made = plan_follow_up(opened, chosen)
        _print(made)
        if output is None:
            return
        output.mkdir(parents=True, exist_ok=True)
        for name, form in PLAN_FORMATS.items():
            n = write_plan(opened, made, name, output / form.file_name)
            console.print(f"{output / form.file_name}: {n} targets", soft_wrap=True)

    plan.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by typer
        [
            inspect.Parameter(
                "workspace", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=WorkspaceArgument
            ),
            inspect.Parameter(
                "output", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_OUTPUT
            ),
            *map(option_of, known),
        ]
    )
    return plan


followup.command("plan", help=inspect.getdoc(FollowUpSettings))(_plan())


@followup.command("sites")
def show_sites() -> None:
    """List the sites that are known by name."""
    table = Table("key", "site", "longitude", "latitude", "height", "source")
    for key, site in known_sites().items():
        table.add_row(
            key,
            site.name,
            f"{site.longitude_deg:.4f}°",
            f"{site.latitude_deg:.4f}°",
            f"{site.height_m:.0f} m",
            site.source,
        )
    console.print(table)


@followup.command("instruments")
def show_instruments(workspace: WorkspaceArgument) -> None:
    """List the instruments, those of the workspace's instruments.toml among them."""
    table = Table("key", "instrument", "site", "kind", "nm", "slit or field", "limit", "source")
    for key, one in read_instruments(Workspace.open(workspace)).items():
        field = " × ".join(f"{side:g}″" for side in one.field_arcsec)
        table.add_row(
            key,
            one.name,
            one.site,
            one.kind,
            "–".join(f"{nm:g}" for nm in one.wavelength_nm),
            field if one.slit_arcsec is None else f"{one.slit_arcsec:g}″",
            "–" if one.limit_mag is None else f"{one.limit_mag:g}",
            one.source,
        )
    console.print(table)


def _print(plan: Plan) -> None:
    nights = Table("night", "dark (UTC)", "hours", "Moon", "Moon up")
    for night in plan.nights[:30]:
        dark = "–"
        if night.dark_from is not None and night.dark_to is not None:
            dark = f"{night.dark_from:%H:%M}–{night.dark_to:%H:%M}"
        nights.add_row(
            night.evening.isoformat(),
            dark,
            f"{night.dark_hours:.1f}",
            f"{100 * night.moon_illumination:.0f} %",
            f"{100 * night.moon_up_share:.0f} %",
        )
    console.print(nights)
    if len(plan.nights) > 30:
        console.print(f"{len(plan.nights) - 30} further nights are not shown.")
    table = Table("#", "candidate", "priority", "P(lens)", "arc (AB)", "hours", "best", "airmass")
    for k, target in enumerate(plan.targets, start=1):
        band, best = target.band, target.best_night
        table.add_row(
            str(k),
            target.row.name,
            "–" if target.priority is None else f"{target.priority:.3f}",
            "–" if target.posterior is None else f"{target.posterior:.2f}",
            "–" if band is None else f"{band.band} {band.magnitude:.2f} ± {band.error:.2f}",
            f"{target.hours:.1f}",
            "–" if best is None else plan.nights[best].evening.isoformat(),
            "–" if best is None else f"{target.nights[best].airmass:.2f}",
        )
    console.print(table)
    if plan.unplaced:
        console.print(f"Without a position, not planned: {', '.join(plan.unplaced)}")
    for note in plan.notes:
        console.print(note, soft_wrap=True)
