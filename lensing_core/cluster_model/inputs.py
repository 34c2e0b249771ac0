"""A cluster as its file states it: images, members, halos, redshift, cosmology."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from lensing_core.cluster_model.families import Family, Image, check_families, hold_out
from lensing_core.cluster_model.mass import Lens, Member, default_reference_mag
from lensing_core.cluster_model.parameter_files import read_glafic, read_lenstool
from lensing_core.cluster_model.parametric import Halo
from lensing_core.cluster_model.planes import LensPlane, cosmology_of
from lensing_core.cluster_model.published import lens_of_maps
from lensing_core.cluster_model.red_sequence import RedSequence, red_sequence
from lensing_core.cluster_model.tables import Row, beside, rows_of, table_rows
from lensing_core.errors import BadInputError

Kind = Literal["parametric", "light_traces_mass", "hybrid", "published"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_KEYS = {
    "name", "z_lens", "center", "model", "images", "members", "image", "member", "halo", "hold_out",
    "position_error_arcsec", "reference_mag", "z_source", "field_arcsec", "pixel_arcsec", "shear",
    "starts", "seed", "cosmology", "red_sequence", "published",
}  # fmt: skip
_POSITION_ERROR_ARCSEC = 0.5
_NEAR_ARCSEC = 60.0


@dataclass(frozen=True)
class ClusterInput:
    """Input of a cluster's model, and its options.

    Attributes
    ----------
    name : str
    kind : {'parametric', 'light_traces_mass', 'hybrid', 'published'}
    plane : LensPlane
    families : tuple of Family
    members : tuple of Member
    halos : tuple of Halo
    reference_mag : float
        Magnitude of the galaxy whose σ and r_cut are fitted; NaN without members.
    z_source : float
        Of curves and magnification.
    field_arcsec, pixel_arcsec : float
        Side of the maps and of their pixels; NaN: by the images.
    shear : bool
    starts, seed : int
    published : Lens or None
        A mass that was published.
    sequence : RedSequence or None
        By which members were chosen.
    notes : tuple of str
        What was assumed.
    """

    name: str
    kind: Kind
    plane: LensPlane
    families: tuple[Family, ...]
    members: tuple[Member, ...]
    halos: tuple[Halo, ...]
    reference_mag: float
    z_source: float
    field_arcsec: float = math.nan
    pixel_arcsec: float = math.nan
    shear: bool = True
    starts: int = 8
    seed: int = 1
    published: Lens | None = None
    sequence: RedSequence | None = None
    notes: tuple[str, ...] = field(default=())


def read_cluster(path: Path) -> ClusterInput:
    """Read a cluster's file: TOML, or ECSV with the images as rows and the same keys as its meta.

    Files that it names lie in its folder or below.

    Raises
    ------
    BadInputError
        If something is missing or wrong, in one sentence.
    """
    stated = _stated(path)
    if unknown := sorted(set(stated) - _KEYS):
        raise BadInputError(
            f"{path.name} has {unknown[0]!r}, which is not known; known are "
            f"{', '.join(sorted(_KEYS))}."
        )
    top = Row(path.name, stated)
    kind = str(stated.get("model", "published" if "published" in stated else "parametric"))
    if kind not in KINDS:
        raise BadInputError(f"{path.name}: model {kind!r} is not known; use {', '.join(KINDS)}.")
    folder, notes = path.parent, list[str]()
    cosmology = cosmology_of(_table(stated, "cosmology", path.name))
    images = rows_of(stated, "image", "images", folder, path.name)
    published = _table(stated, "published", path.name) if kind == "published" else {}
    if kind == "published" and not published:
        raise BadInputError(f"{path.name}: a published model needs [published].")
    lens: Lens | None = None
    if "lenstool" in published:
        lens = read_lenstool(beside(folder, published["lenstool"]))
        plane = lens.plane
        notes.append("Redshift, origin and cosmology are those of Lenstool's file.")
    else:
        galaxies = _galaxies(stated, folder, path.name)
        plane = LensPlane(
            top.number("z_lens"), *_center(stated, galaxies, images, notes), cosmology
        )
    sequence: RedSequence | None = None
    members: tuple[Member, ...] = ()
    if kind != "published":
        members, sequence = _members(stated, folder, path.name, plane, notes)
    elif lens is None:
        lens = (
            read_glafic(beside(folder, published["glafic"]), plane)
            if "glafic" in published
            else lens_of_maps(published, folder, plane)
        )
    error = top.number("position_error_arcsec", _POSITION_ERROR_ARCSEC)
    families = hold_out(
        _families(images, plane, error), [str(n) for n in stated.get("hold_out", [])]
    )
    if families or kind != "published":
        check_families(families, plane)
    known = [f.z for f in families if not math.isnan(f.z)]
    z_source = top.number("z_source", float(np.median(known)) if known else math.nan)
    if not z_source > plane.z_lens:
        raise BadInputError(
            f"{path.name}: z_source {z_source:g} is not behind the cluster at {plane.z_lens:g}."
        )
    reference = math.nan
    if members:
        reference = top.number("reference_mag", default_reference_mag(members))
        if "reference_mag" not in stated:
            notes.append(
                f"The reference magnitude is {reference:.2f}: the brightest member's + 1.5."
            )
    return ClusterInput(
        name=str(stated.get("name", path.stem)),
        kind=kind,
        plane=plane,
        families=tuple(families),
        members=members,
        halos=_halos(stated, plane, members, path.name, notes) if kind in ("parametric", "hybrid")
        else (),
        reference_mag=reference,
        z_source=z_source,
        field_arcsec=top.number("field_arcsec", math.nan),
        pixel_arcsec=top.number("pixel_arcsec", math.nan),
        shear=bool(stated.get("shear", True)),
        starts=max(1, int(top.number("starts", 8))),
        seed=int(top.number("seed", 1)),
        published=lens,
        sequence=sequence,
        notes=tuple(notes),
    )  # fmt: skip


def _stated(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BadInputError(f"{path} does not exist.")
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInputError(f"{path} is no TOML: {error}.") from error
    rows, meta = table_rows(path)
    known = {str(key): value for key, value in meta.items() if not str(key).startswith("__")}
    if "z_lens" not in known:
        raise BadInputError(
            f"{path.name} states no z_lens: give a TOML file, or an ECSV table of images whose "
            "meta has it."
        )
    return {**known, "image": rows}


def _table(stated: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    found = stated.get(name, {})
    if not isinstance(found, Mapping):
        raise BadInputError(f"{where}: [{name}] is no table of keys.")
    return dict(found)


def _galaxies(stated: Mapping[str, Any], folder: Path, where: str) -> list[Row]:
    """Members that are listed, or galaxies of the catalog in which they are looked for."""
    if "red_sequence" in stated and ("member" in stated or "members" in stated):
        raise BadInputError(f"{where}: give members or [red_sequence], not both.")
    return rows_of(stated, "member", "members", folder, where)


def _center(
    stated: Mapping[str, Any], galaxies: Sequence[Row], images: Sequence[Row], notes: list[str]
) -> tuple[float, float]:
    """Right ascension and declination of x = y = 0."""
    center = stated.get("center")
    if center is not None:
        try:
            ra, dec = (float(value) for value in center)
        except (TypeError, ValueError):
            raise BadInputError("center is no pair of degrees: center = [150.1, 2.2].") from None
        if not (0 <= ra <= 360 and -90 <= dec <= 90):
            raise BadInputError(f"center [{ra:g}, {dec:g}] is no place on the sky, in degrees.")
        return ra, dec
    if galaxies:
        brightest = min(galaxies, key=lambda row: row.number("mag"))
        notes.append("The center is the brightest member.")
        return brightest.number("ra"), brightest.number("dec")
    if not images:
        raise BadInputError(
            "Without images or members, the center must be stated: center = [ra, dec]."
        )
    notes.append("The center is the mean of the images.")
    turn = np.radians([row.number("ra") for row in images])
    ra = math.degrees(math.atan2(np.sin(turn).mean(), np.cos(turn).mean())) % 360
    return ra, float(np.mean([row.number("dec") for row in images]))


def _families(images: Sequence[Row], plane: LensPlane, error_arcsec: float) -> list[Family]:
    grouped: dict[str, list[Row]] = {}
    for row in images:
        grouped.setdefault(row.text("family"), []).append(row)
    found = []
    names: set[str] = set()
    for name, rows in grouped.items():
        parts = []
        for k, row in enumerate(rows):
            x, y = plane.to_plane(row.number("ra"), row.number("dec"))
            label = row.text("name", f"{name}.{k + 1}")
            if label in names:
                raise BadInputError(f"{row.where}: there are two images {label!r}.")
            names.add(label)
            error = row.number("error_arcsec", error_arcsec)
            if not 0 < error < 60:
                raise BadInputError(f"{row.where}: error_arcsec {error:g} is not above 0.")
            if np.hypot(x, y) > 600:
                raise BadInputError(f"{row.where}: {label} is {np.hypot(x, y):.0f} arcsec away.")
            parts.append(Image(label, float(x), float(y), error, row.flag("held_out")))
        redshifts = {row.number("z", math.nan) for row in rows}
        stated = {z for z in redshifts if not math.isnan(z)}
        if len(stated) > 1:
            raise BadInputError(f"Family {name} has images of several redshifts: {sorted(stated)}.")
        first = rows[0]
        limits = first.number("z_min", math.nan), first.number("z_max", math.nan)
        found.append(Family(name, tuple(parts), stated.pop() if stated else math.nan, limits))
    return found


def _members(
    stated: Mapping[str, Any], folder: Path, where: str, plane: LensPlane, notes: list[str]
) -> tuple[tuple[Member, ...], RedSequence | None]:
    if "red_sequence" in stated:
        return _by_red_sequence(_table(stated, "red_sequence", where), folder, where, plane, notes)
    return tuple(
        _member(row, k, plane) for k, row in enumerate(_galaxies(stated, folder, where))
    ), None


def _member(row: Row, k: int, plane: LensPlane) -> Member:
    x, y = plane.to_plane(row.number("ra"), row.number("dec"))
    q = row.number("axis_ratio", 1.0)
    if not 0.1 <= q <= 1:
        raise BadInputError(f"{row.where}: axis_ratio {q:g} is not between 0.1 and 1.")
    # A position angle counts from north over east, ours from west over north.
    angle = math.radians(row.number("position_angle_deg", 0.0) + 90)
    return Member(
        row.text("name", f"member {k + 1}"), float(x), float(y), row.number("mag"), q, angle,
        row.flag("free"),
    )  # fmt: skip


def _by_red_sequence(
    stated: Mapping[str, Any], folder: Path, where: str, plane: LensPlane, notes: list[str]
) -> tuple[tuple[Member, ...], RedSequence]:
    """Members from a catalog with two magnitudes: [red_sequence] catalog, blue, red."""
    for key in ("catalog", "blue", "red"):
        if key not in stated:
            raise BadInputError(f"{where}: [red_sequence] needs catalog, blue and red; no {key}.")
    top = Row(f"{where}, [red_sequence]", dict(stated))
    rows, _ = table_rows(beside(folder, stated["catalog"]))
    names = str(stated["blue"]), str(stated["red"])
    blue, red = (np.array([row.number(n, math.nan) for row in rows]) for n in names)
    if not (np.isfinite(blue).any() and np.isfinite(red).any()):
        raise BadInputError(f"{stated['catalog']} has no magnitudes {names[0]} and {names[1]}.")
    x, y = plane.to_plane([r.number("ra") for r in rows], [r.number("dec") for r in rows])
    distance = np.hypot(x, y)
    radius = top.number("radius_arcsec", math.inf)
    color = top.number("color", math.nan)
    sequence = red_sequence(
        red,
        np.where(distance <= radius, blue - red, np.nan),
        expected_color=None if math.isnan(color) else color,
        faintest_mag=top.number("faintest_mag", math.inf),
        near=distance < min(radius, _NEAR_ARCSEC),
    )
    chosen = np.flatnonzero(sequence.members)
    notes.append(
        f"{len(chosen)} of {len(rows)} galaxies are on the red sequence: color "
        f"{sequence.color:.3f} at {names[1]} = {sequence.pivot_mag:.2f}, slope "
        f"{sequence.slope:+.3f}, scatter {sequence.scatter_mag:.3f}."
    )
    members = [
        _member(Row(rows[k].where, {**rows[k].values, "mag": red[k]}), int(k), plane)
        for k in chosen
    ]
    return tuple(members), sequence


def _halos(
    stated: Mapping[str, Any],
    plane: LensPlane,
    members: Sequence[Member],
    where: str,
    notes: list[str],
) -> tuple[Halo, ...]:
    listed = stated.get("halo", [])
    if not isinstance(listed, list):
        raise BadInputError(f"{where}: halos are [[halo]], with two brackets.")
    allowed = {f.name for f in fields(Halo)} - {"name", "x", "y"} | {"name", "ra", "dec"}
    found = []
    for k, one in enumerate(listed):
        if unknown := sorted(set(one) - allowed):
            raise BadInputError(f"{where}: halo {k + 1} has {unknown[0]!r}, which is not known.")
        row = Row(f"{where}, halo {k + 1}", one)
        x, y = plane.to_plane(row.number("ra", plane.ra_deg), row.number("dec", plane.dec_deg))
        numbers = {
            f.name: row.number(f.name)
            for f in fields(Halo)
            if f.name in one and f.name not in ("name", "profile")
        }
        name, profile = row.text("name", f"halo {k + 1}"), row.text("profile", "piemd").lower()
        found.append(Halo(name, float(x), float(y), profile, **numbers))  # type: ignore[arg-type]  # checked by Halo
    if not found:
        at = min(members, key=lambda m: m.magnitude) if members else None
        found = [Halo("halo 1", at.x if at else 0.0, at.y if at else 0.0)]
        notes.append("No halo is stated: one PIEMD halo near the brightest member.")
    return tuple(found)
