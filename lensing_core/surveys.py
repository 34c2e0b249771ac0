"""Survey definitions: bands, pixel scale, zero points, seeing and depth, each with its source.

The built-in surveys stand in ``surveys.toml`` beside this module; a user adds or overrides one with
a TOML file of the same form in the workspace's ``surveys/`` folder.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.workspace import Workspace, check_slug

_NOISE = ("sky_mag_arcsec2", "exposure_s", "gain_e_per_unit", "read_noise_e")
_OPTIONAL = (*_NOISE, "depth_mag", "depth_aperture_arcsec", "wavelength_nm")
_POSITIVE = (
    "psf_fwhm_arcsec",
    "wavelength_nm",
    "exposure_s",
    "gain_e_per_unit",
    "depth_aperture_arcsec",
)


@dataclass(frozen=True)
class Band:
    """One filter of a survey. What a user's file leaves out is NaN.

    Attributes
    ----------
    name : str
        As the survey writes it, e.g. ``"g"`` or ``"VIS"``; unique within the survey.
    zero_point_mag : float
        AB magnitude of a flux of 1 in the survey's stored pixel unit.
    psf_fwhm_arcsec, depth_mag, sky_mag_arcsec2 : float
        Typical PSF FWHM; 5-sigma depth (AB) for a point source; sky surface brightness
        (AB / arcsec²).
    depth_aperture_arcsec : float
        Diameter of the aperture that ``depth_mag`` holds for; NaN: a point source weighted by its
        PSF.
    wavelength_nm : float
        Effective wavelength.
    exposure_s, gain_e_per_unit, read_noise_e : float
        Total exposure time; electrons per stored flux unit; read noise per pixel of the coadd.
    """

    name: str
    zero_point_mag: float
    psf_fwhm_arcsec: float
    depth_mag: float
    sky_mag_arcsec2: float
    wavelength_nm: float
    exposure_s: float
    gain_e_per_unit: float
    read_noise_e: float
    depth_aperture_arcsec: float = math.nan


@dataclass(frozen=True)
class Survey:
    """A survey or instrument, as its images are published.

    Attributes
    ----------
    name, title : str
        Key (lower case) and the name for people.
    pixel_scale_arcsec : float
        Of the published images.
    bands : tuple of Band
        From blue to red.
    rgb_bands : tuple of three str
        Bands shown as red, green and blue.
    reference : str
        Where the figures come from.
    exptime_zero_point_mag : float or None
        For images in counts summed over the exposure: the zero point of one second, so that
        an image's own is ``exptime_zero_point_mag + 2.5 log10(EXPTIME)``.
    surface_brightness : bool
        Whether pixels hold flux per solid angle (MJy/sr), so that the zero point of a pixel
        depends on its area; ``zero_point_mag`` is that at ``pixel_scale_arcsec``.
    """

    name: str
    title: str
    pixel_scale_arcsec: float
    bands: tuple[Band, ...]
    rgb_bands: tuple[str, str, str]
    reference: str
    exptime_zero_point_mag: float | None = None
    surface_brightness: bool = False

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, from blue to red."""
        return tuple(band.name for band in self.bands)

    def band(self, name: str) -> Band:
        """The band called ``name``.

        Raises
        ------
        NotFoundError
            Naming the bands that there are.
        """
        for band in self.bands:
            if band.name == name:
                return band
        raise NotFoundError(
            f"Survey {self.name} has no band {name!r}; it has {', '.join(self.band_names)}."
        )

    def zero_point_mag(self, band: str, pixel_scale_arcsec: float) -> float:
        """AB magnitude of one unit in a pixel of the given scale, as the survey calibrates."""
        zero_point = self.band(band).zero_point_mag
        if self.surface_brightness:
            zero_point -= 5 * math.log10(pixel_scale_arcsec / self.pixel_scale_arcsec)
        return zero_point

    def check_noise_known(self, bands: Iterable[str]) -> None:
        """Raise BadInputError unless sky, exposure, gain and read noise of ``bands`` are known."""
        for name in bands:
            missing = [key for key in _NOISE if math.isnan(getattr(self.band(name), key))]
            if missing:
                raise BadInputError(
                    f"Survey {self.name}, band {name}: {', '.join(missing)} are not defined, so "
                    "its noise cannot be simulated; add them to the survey's TOML file."
                )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, NaN as null."""
        definition = asdict(self)
        definition["rgb_bands"] = list(self.rgb_bands)
        definition["bands"] = [
            {key: None if value != value else value for key, value in asdict(band).items()}
            for band in self.bands
        ]
        return definition


def load_surveys(workspace: Workspace | None = None) -> dict[str, Survey]:
    """The built-in surveys and those of ``workspace``, which win where names agree.

    Raises
    ------
    BadInputError
        If a file of the workspace is no valid definition; names the file, the key, what was
        found and what to do.
    """
    surveys = dict(_built_in())
    if workspace is not None and workspace.surveys.is_dir():
        for path in sorted(workspace.surveys.glob("*.toml")):
            surveys.update(read_surveys(path))
    return surveys


def get_survey(name: str, workspace: Workspace | None = None) -> Survey:
    """The survey called ``name``; raises NotFoundError that lists those known."""
    surveys = load_surveys(workspace)
    if name not in surveys:
        raise NotFoundError(
            f"Survey {name!r} is not defined; known: {', '.join(sorted(surveys))}. Add one as a "
            "TOML file in the workspace's surveys folder."
        )
    return surveys[name]


def read_surveys(path: Path) -> dict[str, Survey]:
    """Read one TOML file: a table for each survey, with an array of tables ``bands``."""
    try:
        return _parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}.") from error


@cache
def _built_in() -> dict[str, Survey]:
    file = resources.files("lensing_core").joinpath("surveys.toml")
    return _parse(file.read_text(encoding="utf-8"), "surveys.toml")


def _parse(text: str, source: str) -> dict[str, Survey]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{source} is not valid TOML: {error}.") from error
    surveys = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise BadInputError(
                f"{source}: {name!r} stands outside a survey; begin the file with a table such as "
                "[my_survey] and put the keys below it."
            )
        check_slug(name, what=f"{source}: survey")
        surveys[name] = _survey(name, table, f"{source}, [{name}]")
    return surveys


def _survey(name: str, table: Mapping[str, Any], where: str) -> Survey:
    known = {field.name for field in fields(Survey)} - {"name"}
    _refuse_unknown(table, known, where)
    entries = table.get("bands")
    if (
        not isinstance(entries, list)
        or not entries
        or not all(isinstance(e, dict) for e in entries)
    ):
        raise BadInputError(f"{where}: give at least one band as a table [[{name}.bands]].")
    bands = tuple(_band(entry, f"{where}, band {k + 1}") for k, entry in enumerate(entries))
    names = [band.name for band in bands]
    if len(set(names)) < len(names):
        raise BadInputError(f"{where}: bands {', '.join(names)}; name each band once.")
    exptime = None
    if "exptime_zero_point_mag" in table:
        exptime = _number(table, "exptime_zero_point_mag", where)
    surface_brightness = table.get("surface_brightness", False)
    if not isinstance(surface_brightness, bool):
        raise BadInputError(
            f"{where}: surface_brightness is {surface_brightness!r}; give true or false."
        )
    return Survey(
        name=name,
        title=_text(table, "title", where),
        pixel_scale_arcsec=_number(table, "pixel_scale_arcsec", where, positive=True),
        bands=bands,
        rgb_bands=_rgb(table, names, where),
        reference=_text(table, "reference", where),
        exptime_zero_point_mag=exptime,
        surface_brightness=surface_brightness,
    )


def _band(entry: Mapping[str, Any], where: str) -> Band:
    known = {field.name for field in fields(Band)} | {"electron_zero_point_mag"}
    _refuse_unknown(entry, known, where)
    values: dict[str, Any] = {"name": _text(entry, "name", where)}
    where = f"{where} ({values['name']})"
    for field in fields(Band)[1:]:
        if field.name in _OPTIONAL and field.name not in entry:
            values[field.name] = math.nan
        else:
            values[field.name] = _number(entry, field.name, where, positive=field.name in _POSITIVE)
    if "electron_zero_point_mag" in entry:
        if "gain_e_per_unit" in entry:
            raise BadInputError(
                f"{where}: give gain_e_per_unit or electron_zero_point_mag, not both."
            )
        # A source of zero_point_mag has a flux of 1, and makes this many electrons.
        excess_mag = _number(entry, "electron_zero_point_mag", where) - values["zero_point_mag"]
        values["gain_e_per_unit"] = values["exposure_s"] * 10 ** (0.4 * excess_mag)
    return Band(**values)


def _rgb(table: Mapping[str, Any], names: list[str], where: str) -> tuple[str, str, str]:
    """The three display bands; where none are given, the reddest, the middle and the bluest."""
    chosen = table.get("rgb_bands", [names[-1], names[len(names) // 2], names[0]])
    if not isinstance(chosen, list) or len(chosen) != 3 or not set(chosen) <= set(names):
        raise BadInputError(
            f"{where}: rgb_bands is {chosen!r}; give three of {', '.join(names)} in the order "
            "red, green, blue."
        )
    red, green, blue = chosen
    return red, green, blue


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise BadInputError(
            f"{where}: unknown {', '.join(unknown)}; the keys are {', '.join(sorted(known))}."
        )


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        problem = "is missing" if value is None else f"is {value!r}"
        raise BadInputError(f"{where}: {key} {problem}; give a text in quotes.")
    return value


def _number(table: Mapping[str, Any], key: str, where: str, *, positive: bool = False) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        problem = "is missing" if value is None else f"is {value!r}"
        raise BadInputError(f"{where}: {key} {problem}; give a number.")
    if positive and value <= 0:
        raise BadInputError(f"{where}: {key} is {value}; give a number above 0.")
    return float(value)
