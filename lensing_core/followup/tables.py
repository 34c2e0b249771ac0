"""Target lists and the table of a proposal, from a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lensing_core.export.columns import COLUMNS, Column, ExportRow, Value
from lensing_core.export.tables import write_csv, write_votable
from lensing_core.export.text import latex, one_line, sexagesimal
from lensing_core.followup.offset_stars import OffsetStar
from lensing_core.followup.planning import Plan, PlannedTarget

_KNOWN = {column.name: column for column in COLUMNS}
_TAKEN = ("object_id", "catalog", "candidate", "ra", "dec", "magnitude", "z_spec", "z_phot")
_MIN_CIRCLE_ARCSEC = 2.0

TARGET_COLUMNS: tuple[Column, ...] = (
    Column("order", "integer", "place in the order of priority, from 1", ucd="meta.number"),
    *(_KNOWN[name] for name in _TAKEN),
    Column("priority", "float", "posterior times science value", ucd="stat.weight"),
    Column("posterior", "float", "P(lens); no confirmation", ucd="stat.probability"),
    Column("posterior_from", "text", "grades (consensus) or score (ensemble)", ucd="meta.note"),
    Column("science_value", "float", "weighted mean of the criteria", ucd="stat.weight"),
    Column("theta_e", "float", "Einstein radius, indicative", "arcsec", "phys.angSize"),
    Column("fits", "text", "twice that radius fits into the slit or field", ucd="meta.code"),
    Column("arc_band", "text", "band in which the arc is measured", ucd="meta.id;instr.filter"),
    Column("arc_mag", "float", "isophotal AB magnitude of the arc", "mag", "phot.mag"),
    Column("arc_mag_err", "float", "its error", "mag", "stat.error;phot.mag"),
    Column(
        "arc_sb",
        "float",
        "mean surface brightness of the arc, mag per square arcsec",
        "mag/arcsec**2",
        "phot.mag.sb",
    ),
    Column("arc_area", "float", "area of the mask", "arcsec**2", "phys.angArea"),
    Column("hours", "float", "up under all conditions, all nights", "h", "time.duration"),
    Column("best_night", "text", "evening with most hours", ucd="time.epoch"),
    Column("best_time", "text", "when it is highest then, UTC", ucd="time.epoch"),
    Column("airmass", "float", "then", ucd="obs.airMass"),
    Column("moon_separation", "float", "then", "deg", "pos.angDistance"),
    Column("offset_star", "text", "Gaia DR3", ucd="meta.id.assoc"),
    Column("offset_g_mag", "float", "G of the offset star", "mag", "phot.mag;em.opt"),
    Column("offset_ra", "float", "of the offset star", "deg", "pos.eq.ra"),
    Column("offset_dec", "float", "of the offset star", "deg", "pos.eq.dec"),
    Column("offset_east", "float", "from star to target", "arcsec", "pos.cartesian.x"),
    Column("offset_north", "float", "from star to target", "arcsec", "pos.cartesian.y"),
)

Stars = Sequence[OffsetStar | None]


def target_rows(plan: Plan, stars: Stars) -> list[ExportRow]:
    """The targets as rows of :data:`TARGET_COLUMNS`, in the order of the plan."""
    return [
        ExportRow(_values(plan, target, star, k), target.row.catalog)
        for k, (target, star) in enumerate(zip(plan.targets, stars, strict=True), start=1)
    ]


def plan_notes(plan: Plan) -> list[str]:
    """Sentences at the head of all files."""
    asked, limits = plan.request, plan.request.limits
    nights = f"{asked.n_nights} night{'' if asked.n_nights == 1 else 's'}"
    return [
        f"Follow-up with {asked.instrument.name} from {asked.site.name}: {nights} from "
        f"{asked.first_night.isoformat()}; airmass to {limits.airmass_max:g}, Sun below "
        f"{limits.sun_altitude_max_deg:g} degrees, Moon at {limits.moon_separation_min_deg:g} "
        "degrees at least.",
        *plan.notes,
        "Posteriors are no confirmation of a lens.",
    ]


def write_targets_csv(path: Path, plan: Plan, stars: Stars) -> int:
    """Comma-separated values; no cell is a formula."""
    return write_csv(path, lambda: target_rows(plan, stars), plan_notes(plan), TARGET_COLUMNS)


def write_targets_votable(path: Path, plan: Plan, stars: Stars) -> int:
    """VOTable 1.4 with units and UCDs."""
    return write_votable(path, lambda: target_rows(plan, stars), plan_notes(plan), TARGET_COLUMNS)


def write_targets_regions(path: Path, plan: Plan, stars: Stars) -> int:
    """DS9 regions: a circle of the Einstein radius (2″ at least) a target, a cross a star."""
    lines = ["# Region file format: DS9 version 4.1"]
    lines += [f"# {_plain(note)}" for note in plan_notes(plan)]
    lines += ['global color=cyan font="helvetica 10 normal roman"', "icrs"]
    for k, (target, star) in enumerate(zip(plan.targets, stars, strict=True), start=1):
        ra, dec = target.row.number("ra"), target.row.number("dec")
        radius = max(target.theta_e or 0.0, _MIN_CIRCLE_ARCSEC)
        name = _plain(target.row.name)
        lines.append(f'circle({ra:.7f},{dec:+.7f},{radius:.2f}") # text={{{k} {name}}}')
        if star is not None:
            lines.append(
                f"point({star.ra_deg:.7f},{star.dec_deg:+.7f}) # point=x color=yellow "
                f"text={{G={star.g_mag:.1f}}}"
            )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return len(plan.targets)


def _plain(text: str) -> str:
    """Text without what ends text or lines of DS9 regions."""
    return one_line(text).translate(str.maketrans("{};", "(),"))


def write_proposal_table(path: Path, plan: Plan, stars: Stars) -> int:
    """A LaTeX table of the targets, as proposals have it; needs no package."""
    lines = [f"% {one_line(note)}" for note in plan_notes(plan)]
    lines += [
        r"\begin{table}",
        r"\caption{Targets for " + latex(plan.request.instrument.name) + "}",
        r"\begin{tabular}{llllrrrrrr}",
        r"\hline",
        r"Target & RA & Dec & $z$ & $\theta_\mathrm{E}$ & Arc & $\mu$ & $P$ & Hours & Airmass \\",
        r" & (ICRS) & (ICRS) & & ($''$) & (AB) & (mag/$''^2$) & & (h) & (min.) \\",
        r"\hline",
    ]
    lines += [_proposal_line(target) for target in plan.targets]
    lines += [r"\hline", r"\end{tabular}", r"\end{table}"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return len(plan.targets)


def _proposal_line(target: PlannedTarget) -> str:
    row, band = target.row, target.band
    ra, dec = sexagesimal(row.number("ra"), row.number("dec"))
    z = row["z_spec"] if row["z_spec"] is not None else row["z_phot"]
    best = target.best_night
    arc = "--"
    if band is not None and band.magnitude is not None:
        arc = f"${latex(band.band)}={band.magnitude:.2f}"
        arc += "$" if band.error is None else f"\\pm{band.error:.2f}$"
    cells = (
        latex(row.name),
        ra,
        f"${dec[0]}${dec[1:]}",
        _digits(z, 3) + ("p" if row["z_spec"] is None and z is not None else ""),
        _digits(target.theta_e, 1),
        arc,
        _digits(None if band is None else band.surface_brightness, 1),
        _digits(target.posterior, 2),
        f"{target.hours:.1f}",
        _digits(None if best is None else target.nights[best].airmass, 2),
    )
    return " & ".join(cells) + r" \\"


def _values(
    plan: Plan, target: PlannedTarget, star: OffsetStar | None, order: int
) -> dict[str, Value]:
    values: dict[str, Value] = {name: target.row[name] for name in _TAKEN}
    band, best = target.band, target.best_night
    values |= {
        "order": order,
        "priority": target.priority,
        "posterior": target.posterior,
        "posterior_from": target.posterior_from,
        "science_value": target.value,
        "theta_e": target.theta_e,
        "fits": {None: "", True: "yes", False: "no"}[target.fits],
        "hours": target.hours,
        "arc_area": None if target.arc is None else target.arc.area_arcsec2,
    }
    if band is not None:
        values |= {
            "arc_band": band.band,
            "arc_mag": band.magnitude,
            "arc_mag_err": band.error,
            "arc_sb": band.surface_brightness,
        }
    if best is not None:
        night = target.nights[best]
        values |= {
            "best_night": plan.nights[best].evening.isoformat(),
            "best_time": "" if night.best is None else f"{night.best:%Y-%m-%dT%H:%MZ}",
            "airmass": night.airmass,
            "moon_separation": night.moon_separation_deg,
        }
    if star is not None:
        values |= {
            "offset_star": star.name,
            "offset_g_mag": star.g_mag,
            "offset_ra": star.ra_deg,
            "offset_dec": star.dec_deg,
            "offset_east": star.east_arcsec,
            "offset_north": star.north_arcsec,
        }
    return values


def _digits(value: Value, digits: int) -> str:
    return "--" if value is None or isinstance(value, str) else f"{value:.{digits}f}"
