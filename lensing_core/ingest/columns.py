"""Roles of a table's columns, by name, unit and first values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lensing_core.errors import BadInputError
from lensing_core.ingest.angles import notation_of
from lensing_core.ingest.fits_files import is_fits
from lensing_core.ingest.label_columns import LABEL_NAMES, label_evidence
from lensing_core.ingest.pictures import is_picture
from lensing_core.ingest.sky_names import PAIRS, by_normal_name, position_pairs
from lensing_core.ingest.stacks import is_stack
from lensing_core.ingest.tables import SourceTable

_SAMPLE = 100  # rows looked at
_SHARE = 0.5  # of the cells must be of the kind that a role needs

# Names without case and punctuation, the likelier first.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "id": (
        *("id", "objectid", "objid", "sourceid", "object", "name", "iauname", "target"),
        *("targetname", "coaddobjectid", "specobjid", "photoobjid", "idstr", "number", "system"),
    ),
    # Where no pair of one frame is there (lensing_core.ingest.sky_names).
    "ra": tuple(dict.fromkeys(lon for lon, _, frame in PAIRS if not frame)),
    "dec": tuple(dict.fromkeys(lat for _, lat, frame in PAIRS if not frame)),
    "label": LABEL_NAMES,
    "label_source": ("labelsource",),
    "label_confidence": ("labelconfidence",),
    "label_policy": ("labelpolicy",),
    "magnitude": ("mag", "magnitude", "magauto", "totalmag"),
    "z_phot": (
        *("zphot", "photoz", "zphoto", "photz", "zb", "zbest", "zmc", "zlambda", "redshift"),
        *("zred", "galredshift", "lensredshift", "zlens", "zl", "z"),
    ),
    "z_spec": ("zspec", "specz", "zsp", "zspectroscopic", "specredshift"),
    "z_err": ("zerr", "zphoterr", "photozerr", "ezphot", "redshifterr", "zlambdaerr", "zspecerr"),
    "richness": ("richness", "lambda", "lambdachisq", "lambdarm", "n200", "ngals"),
    "snr": ("snr", "sn", "signaltonoise"),
    "seeing_arcsec": ("seeing", "seeingarcsec"),
    "psf_fwhm_arcsec": ("psffwhm", "psffwhmarcsec"),
    "sersic_index": ("sersicindex", "sersicn", "nsersic", "sersic"),
    "half_light_radius_arcsec": ("halflightradius", "halflightradiusarcsec", "re", "reff", "r50"),
    "axis_ratio": ("axisratio", "ba", "q"),
    "position_angle_deg": ("positionangle", "positionangledeg", "pa"),
    "instrument": ("instrument", "telescope"),
    "file": (
        *("file", "filename", "filepath", "path", "image", "imagefile", "imagepath", "cutout"),
        *("cutoutfile", "fits", "fitsfile", "fitspath", "png", "pngfile", "stamp"),
    ),
    "stack_index": ("index", "stackindex", "cutoutindex", "rowindex"),
}
ROLES = tuple(_SYNONYMS)
OBSERVATION_ROLES = (
    *("z_phot", "z_spec", "z_err", "richness", "snr", "seeing_arcsec", "psf_fwhm_arcsec"),
    *("sersic_index", "half_light_radius_arcsec", "axis_ratio", "position_angle_deg"),
)
_NUMERIC = frozenset(
    (*OBSERVATION_ROLES, "magnitude", "label_confidence", "stack_index"),
)
_MAGNITUDE = frozenset(("mag", "abmag", "magnitude", "cmodelmag", "modelmag", "magauto"))
_FLUX = frozenset(("flux", "cmodelflux", "fluxauto"))
_ERROR = frozenset(("err", "error", "e", "sigma", "unc", "rms", "var", "ivar"))


@dataclass(frozen=True)
class ColumnMap:
    """The roles found.

    Attributes
    ----------
    roles : dict of str to str
        Column by role (of :data:`ROLES`).
    magnitudes, fluxes, files : dict of str to str
        Column by band.
    stated : frozenset of str
        Roles that the user gave a column.
    """

    roles: dict[str, str]
    magnitudes: dict[str, str]
    fluxes: dict[str, str]
    files: dict[str, str]
    stated: frozenset[str] = frozenset()

    def role_of(self, column: str) -> str:
        """The role (or roles) that a column plays, for people; empty if none."""
        found = [role for role in ROLES if self.roles.get(role) == column]
        for what, bands in (("mag", self.magnitudes), ("flux", self.fluxes), ("file", self.files)):
            found += [f"{what}:{band}" for band, name in bands.items() if name == column]
        return ", ".join(found)

    @property
    def used(self) -> set[str]:
        """Columns that play a role, which therefore are no further properties."""
        return {
            *self.roles.values(),
            *self.magnitudes.values(),
            *self.fluxes.values(),
            *self.files.values(),
        }


def recognize(
    table: SourceTable, bands: Sequence[str], stated: Mapping[str, str] | None = None
) -> ColumnMap:
    """Find the role of each column.

    Parameters
    ----------
    bands : sequence of str
        Bands whose magnitudes, fluxes and files may stand in columns.
    stated : dict of str to str, optional
        What the user says: column by role, where a role is one of :data:`ROLES`, ``mag:<band>``,
        ``flux:<band>`` or ``file:<band>``. An empty column name switches a role off.

    Raises
    ------
    BadInputError
        For an unknown role or column.
    """
    stated = dict(stated or {})
    _check_stated(table, bands, stated)
    # A name that says what it is wins over what the cells look like.
    found = {**_files_by_content(table), **_by_name(table)}
    roles = {role: name for role, name in found.items() if role not in stated}
    roles |= {role: name for role, name in stated.items() if ":" not in role and name}
    per_band: dict[str, dict[str, str]] = {"mag": {}, "flux": {}, "file": {}}
    per_band["mag"] = _per_band(table, bands, _MAGNITUDE, numeric=True)
    per_band["flux"] = _per_band(table, bands, _FLUX, numeric=True)
    per_band["file"] = _per_band(table, bands, set(_SYNONYMS["file"]), numeric=False)
    for role, name in stated.items():
        what, _, band = role.partition(":")
        if band:
            per_band[what].pop(band, None)
            if name:
                per_band[what][band] = name
    by_user = frozenset(role for role, name in stated.items() if name)
    return ColumnMap(roles, per_band["mag"], per_band["flux"], per_band["file"], by_user)


def _check_stated(table: SourceTable, bands: Sequence[str], stated: Mapping[str, str]) -> None:
    for role, name in stated.items():
        what, colon, band = role.partition(":")
        known = what in ("mag", "flux", "file") if colon else role in ROLES
        if not known or (colon and bands and band not in bands):
            raise BadInputError(
                f"Column mapping: there is no role {role!r}; the roles are {', '.join(ROLES)}, and "
                "mag:BAND, flux:BAND, file:BAND for a band of the catalog."
            )
        if name and name not in table.names:
            raise BadInputError(
                f"Column mapping: {table.path.name} has no column {name!r} for {role}; it has "
                f"{', '.join(table.names)}."
            )


def _by_name(table: SourceTable) -> dict[str, str]:
    known = by_normal_name(table.names)
    single_letters = {n for n in known if len(n) == 1} - {"z"}
    found = _positions(table)
    taken = set(found.values())
    for role, synonyms in _SYNONYMS.items():
        if role in found or (role in ("ra", "dec") and found):
            continue
        for synonym in synonyms:
            column = known.get(synonym)
            if column is None or column in taken:
                continue
            if synonym == "z" and single_letters:  # beside g, r, i it is a magnitude
                continue
            if not _fits(table, column, role):
                continue
            found[role] = column
            taken.add(column)
            break
    return found


def _positions(table: SourceTable) -> dict[str, str]:
    """Right ascension and declination as a pair of one frame, the likeliest that holds angles."""
    made = {name for pair in table.sky_pairs for name in pair}
    named = position_pairs([name for name in table.names if name not in made])
    pairs = [
        *((lon, lat) for lon, lat, frame in named if not frame),
        *table.sky_pairs,
        *((lon, lat) for lon, lat, frame in named if frame),
        *_pairs_by_ucd(table),
    ]
    fitting = [pair for pair in pairs if all(_holds_angles(table, name) for name in pair)]
    if not fitting:
        return dict(zip(("ra", "dec"), pairs[0], strict=True)) if pairs else {}
    # Of several pairs one whose first rows are filled.
    filled = [p for p in fitting if any(c is not None for c in table.cells(p[0], 0, _SAMPLE))]
    return dict(zip(("ra", "dec"), (filled or fitting)[0], strict=True))


def _pairs_by_ucd(table: SourceTable) -> list[tuple[str, str]]:
    """Columns that the table itself calls positions (UCD1+ and UCD1)."""
    found: list[tuple[str, str]] = []
    ucds = {name: table.ucd(name).lower().replace("_", ".") for name in table.names}
    for lon, lat in (
        *(("pos.eq.ra", "pos.eq.dec"), ("pos.galactic.lon", "pos.galactic.lat")),
        ("pos.ecliptic.lon", "pos.ecliptic.lat"),
    ):
        for ending in (";meta.main", ".main", ""):
            of_axis = [[n for n, ucd in ucds.items() if ucd == f"{u}{ending}"] for u in (lon, lat)]
            if all(of_axis):
                found.append((of_axis[0][0], of_axis[1][0]))
    return found


def _holds_angles(table: SourceTable, column: str) -> bool:
    if table.is_vector(column):
        return False
    cells = [c for c in table.cells(column, 0, _SAMPLE) if c is not None]
    return sum(notation_of(c) != "other" for c in cells) >= _SHARE * len(cells)


def _fits(table: SourceTable, column: str, role: str) -> bool:
    """Return whether the cells are of the kind that a role needs."""
    if role in _NUMERIC:
        return _is_numeric(table, column)
    if role == "file":
        return table.is_text(column)
    if role == "label":
        return not table.is_vector(column) and label_evidence(table, column).is_label
    return not table.is_vector(column)


def _files_by_content(table: SourceTable) -> dict[str, str]:
    """A text column whose cells end like image files."""
    for name in table.names:
        if table.is_text(name):
            cells = [c for c in table.cells(name, 0, _SAMPLE) if c]
            if cells and all(is_fits(c) or is_picture(c) or is_stack(c) for c in cells):
                return {"file": name}
    return {}


def _per_band(
    table: SourceTable, bands: Iterable[str], words: Iterable[str], *, numeric: bool
) -> dict[str, str]:
    """Columns such as ``mag_g``, ``gmag``, ``Gal_i_ABmag``, by band."""
    words = set(words)
    found: dict[str, str] = {}
    for name in table.names:
        tokens = [t for t in re.split(r"[^A-Za-z0-9]+", re.sub(r"[\(\[].*", "", name)) if t]
        if _ERROR & {t.lower() for t in tokens}:
            continue
        for band in bands:
            if band not in found and _names_band(tokens, band, words):
                if numeric == _is_numeric(table, name):
                    found[band] = name
                break
    return found


def _names_band(tokens: Sequence[str], band: str, words: set[str]) -> bool:
    lower = [t.lower() for t in tokens]
    for form, among in ((band, list(tokens)), (band.lower(), lower)):
        if form in among and any(t in words for t in lower if t != form):
            return True
    return len(tokens) == 1 and lower[0] in {
        joined for w in words for joined in (f"{band.lower()}{w}", f"{w}{band.lower()}")
    }


def _is_numeric(table: SourceTable, name: str) -> bool:
    if not table.is_text(name):
        return not table.is_vector(name)
    cells = [c for c in table.cells(name, 0, _SAMPLE) if c is not None]
    return bool(cells) and sum(to_number(c) is not None for c in cells) >= _SHARE * len(cells)


def to_number(value: object) -> float | None:
    """A finite number from a cell, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
