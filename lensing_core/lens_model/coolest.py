"""Lens models in COOLEST's JSON form, written and read.

COOLEST (Galan et al. 2023, JOSS 8, 5567; coolest.readthedocs.io) measures angles in degrees from
north over east, with north up and east left, and has its external shear about the origin; lengths
are arcsec, Einstein and half-light radii on the intermediate axis. A cutout counts as one with its
north up. A file describes one band.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from lensing_core.errors import BadInputError
from lensing_core.lens_test.shapes import MOST_SHEAR, free_shape
from lensing_core.physics.cosmology import COSMOLOGY

if TYPE_CHECKING:
    from lensing_core.lens_model.posterior import LensPosterior

_LARGEST_BYTES = 10_000_000
_MASSES = {"SIE": 2.0, "PEMD": None}


@dataclass(frozen=True)
class CoolestModel:
    """A lens with shear and a Sérsic source; lengths in arcsec, angles in degrees from x towards y.

    Attributes
    ----------
    theta_e, axis_ratio, angle_deg, x, y, slope : float
        Of the mass; a slope of 2 is isothermal.
    shear, shear_angle_deg : float
        About the mass's center.
    source_x, source_y, source_radius, source_index, source_axis_ratio, source_angle_deg : float
    z_lens, z_source : float
        NaN: not given.
    """

    theta_e: float
    axis_ratio: float
    angle_deg: float
    x: float
    y: float
    slope: float
    shear: float
    shear_angle_deg: float
    source_x: float
    source_y: float
    source_radius: float
    source_index: float
    source_axis_ratio: float
    source_angle_deg: float
    z_lens: float
    z_source: float

    def parameters(self) -> list[float]:
        """Free parameters, as :data:`lensing_core.lens_test.shapes.LENS`."""
        bound = min(self.shear, 0.98 * MOST_SHEAR)
        free = MOST_SHEAR * math.atanh(bound / MOST_SHEAR)
        turn = 2 * math.radians(self.shear_angle_deg)
        return [
            math.log(self.theta_e),
            *free_shape(self.axis_ratio, math.radians(self.angle_deg)),
            self.x,
            self.y,
            free * math.cos(turn),
            free * math.sin(turn),
            self.source_x,
            self.source_y,
            *free_shape(self.source_axis_ratio, math.radians(self.source_angle_deg)),
            math.log(self.source_radius),
            math.log(self.source_index),
        ]


def read_coolest(path: Path) -> CoolestModel:
    """Read the first lens of a file: an SIE or PEMD, with or without shear, and a Sérsic source.

    Raises
    ------
    BadInputError
        If it is no such file, or lacks one of these.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise BadInputError(f"{path}: larger than 10 MB; a COOLEST file is much smaller.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} is no JSON file that can be read ({error}).") from error
    try:
        return _model_of(content, path)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadInputError(
            f"{path} does not have the form of a COOLEST file: {error!r} is missing or misplaced."
        ) from error


def _model_of(content: Mapping[str, Any], path: Path) -> CoolestModel:
    entities = content["lensing_entities"]
    lens = shear = source = None
    for entity in entities:
        for profile in entity.get("mass_model", []):
            if profile["type"] in _MASSES and lens is None:
                lens = entity, profile
            elif profile["type"] == "ExternalShear" and shear is None:
                shear = profile
        if not entity.get("mass_model") and source is None:
            first = next((p for p in entity.get("light_model", []) if p["type"] == "Sersic"), None)
            source = None if first is None else (entity, first)
    if lens is None:
        raise BadInputError(f"{path} holds no mass of the types {', '.join(_MASSES)}.")
    if source is None:
        raise BadInputError(f"{path} holds no source with a Sersic profile.")
    mass, light = _values(lens[1], path), _values(source[1], path)
    strength = _values(shear, path) if shear else {"gamma_ext": 0.0, "phi_ext": 0.0}
    turn = 2 * math.radians(_from_north(strength["phi_ext"]))
    pull = strength["gamma_ext"] * np.array([math.cos(turn), math.sin(turn)])
    moved = _sheared(pull, mass["center_x"], mass["center_y"])
    slope = _MASSES[lens[1]["type"]]
    for name, value, low in (
        ("theta_E", mass["theta_E"], 0), ("q", mass["q"], 0), ("theta_eff", light["theta_eff"], 0),
        ("n", light["n"], 0), ("q of the source", light["q"], 0),
        ("gamma_ext", strength["gamma_ext"], -1e-12),
    ):  # fmt: skip
        if not (math.isfinite(value) and value > low):
            raise BadInputError(f"{path}: {name} is {value}, which no lens has.")
    return CoolestModel(
        theta_e=mass["theta_E"],
        axis_ratio=mass["q"],
        angle_deg=_from_north(mass["phi"]),
        x=mass["center_x"],
        y=mass["center_y"],
        slope=mass["gamma"] if slope is None else slope,
        shear=strength["gamma_ext"],
        shear_angle_deg=_from_north(strength["phi_ext"]),
        source_x=light["center_x"] + float(moved[0]),
        source_y=light["center_y"] + float(moved[1]),
        source_radius=light["theta_eff"],
        source_index=light["n"],
        source_axis_ratio=light["q"],
        source_angle_deg=_from_north(light["phi"]),
        z_lens=_redshift(lens[0]),
        z_source=_redshift(source[0]),
    )


def _values(profile: Mapping[str, Any], path: Path) -> dict[str, float]:
    """Point estimates of a profile's parameters, or else medians; amplitudes may be missing."""
    found = {}
    for name, parameter in profile["parameters"].items():
        value = parameter["point_estimate"]["value"]
        if value is None:
            value = parameter.get("posterior_stats", {}).get("median")
        if value is None and name != "I_eff":
            raise BadInputError(f"{path}: {profile['type']} has no value of {name}.")
        if value is not None:
            found[name] = float(value)
    return found


def _redshift(entity: Mapping[str, Any]) -> float:
    value = entity.get("redshift")
    return math.nan if value is None else float(value)


def _from_north(phi_deg: float) -> float:
    """Angle from x (right) towards y (up) of one from north (up) over east (left), 0 to 180."""
    return (phi_deg + 90) % 180


def _to_north(angle_deg: float) -> float:
    """The inverse of :func:`_from_north`, −90 to 90."""
    return angle_deg - 90


def _sheared(pull: NDArray[np.float64], x: Any, y: Any) -> NDArray[np.float64]:
    """Deflection at (x, y) by a shear (γ1, γ2) about the origin."""
    return np.stack([pull[0] * x + pull[1] * y, pull[1] * x - pull[0] * y])


def coolest_json(
    posterior: LensPosterior,
    band: int,
    *,
    zero_point_mag: float = math.nan,
    position_deg: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """A posterior in COOLEST's form: the best parameters, with mean and percentiles of each.

    Parameters
    ----------
    band : int
        Its number among those that were fitted.
    zero_point_mag : float, optional
    position_deg : (ra, dec), optional
        Of the cutout's middle.
    """
    q, best = posterior.quantities, posterior.summary["best"]
    observed, light = posterior.light.observed, posterior.light
    settings = posterior.summary["settings"]

    def parameter(draws: NDArray[np.float64] | None, value: float | None) -> dict[str, Any]:
        stats: dict[str, float | None] = dict.fromkeys(
            ("mean", "median", "percentile_16th", "percentile_84th")
        )
        if draws is not None:
            low, middle, high = np.percentile(draws, (16, 50, 84))
            stats = {
                "mean": float(draws.mean()), "median": float(middle),
                "percentile_16th": float(low), "percentile_84th": float(high),
            }  # fmt: skip
        return {
            "fixed": False,
            "point_estimate": {"value": value},
            "posterior_stats": stats,
            "prior": {"type": None},
        }

    def known(name: str) -> dict[str, Any]:
        return parameter(q[name], best[name])

    def angle(name: str) -> dict[str, Any]:
        around = _to_north(best[name])
        draws = around + (q[name] - best[name] + 90) % 180 - 90
        return parameter(draws, around)

    def center(draws: dict[str, NDArray[np.float64]], at: Mapping[str, float]) -> dict[str, Any]:
        both = []
        for of in (draws, at):
            turn = 2 * np.radians(np.asarray(of["shear_angle_deg"]))
            pull = np.asarray(of["shear"]) * np.stack([np.cos(turn), np.sin(turn)])
            back = _sheared(pull, of["lens_x_arcsec"], of["lens_y_arcsec"])
            both.append([of[f"source_{axis}_arcsec"] - back[k] for k, axis in enumerate("xy")])
        return {
            f"center_{axis}": parameter(both[0][k], float(both[1][k]))
            for k, axis in enumerate("xy")
        }

    mass = {
        "theta_E": known("theta_e_arcsec"),
        "q": known("axis_ratio"),
        "phi": angle("angle_deg"),
        "center_x": known("lens_x_arcsec"),
        "center_y": known("lens_y_arcsec"),
    }
    if posterior.mass == "epl":
        mass["gamma"] = known("slope")
    shape_q, shape_angle = light.shape
    galaxy = {
        "I_eff": parameter(None, float(posterior.light_amplitudes[band])),
        "theta_eff": parameter(None, light.radius_arcsec),
        "n": parameter(None, light.sersic_index),
        "q": parameter(None, shape_q),
        "phi": parameter(None, _to_north(shape_angle)),
        "center_x": parameter(None, light.x),
        "center_y": parameter(None, light.y),
    }
    source = {
        "I_eff": parameter(None, float(posterior.source_amplitudes[band])),
        "theta_eff": known("source_radius_arcsec"),
        "n": known("source_index"),
        "q": known("source_axis_ratio"),
        "phi": angle("source_angle_deg"),
        **center(q, best),
    }
    half = observed.half_arcsec
    ra, dec = ("00h00m00s", "+00d00m00s")
    if position_deg is not None:
        ra, dec = SkyCoord(*position_deg, unit="deg").to_string("hmsdms", precision=4).split()

    def entity(kind: str, name: str, z: float | None, **models: Sequence[Any]) -> dict[str, Any]:
        return {"type": kind, "name": name, "redshift": z, **models}

    def profile(kind: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"type": kind, "parameters": dict(parameters)}]

    z_lens, z_source = settings["z_lens"], settings["z_source"]
    shear = {"gamma_ext": known("shear"), "phi_ext": angle("shear_angle_deg")}
    return {
        "standard": "COOLEST",
        "mode": "MAP",
        "meta": {
            "program": "lens-triage",
            "method": posterior.summary["version"],
            "orientation": "north is taken to be up and east left",
        },
        "coordinates_origin": {"ra": ra, "dec": dec},
        "cosmology": {
            "H0": float(COSMOLOGY.H0.value),
            "Om0": float(COSMOLOGY.Om0),
            "astropy_name": "FlatLambdaCDM",
        },
        "instrument": {
            "name": "",
            "band": observed.bands[band],
            "pixel_size": observed.scale_arcsec,
            "readout_noise": 0.0,
            "psf": {"type": None, "description": None},
        },
        "observation": {
            "exposure_time": None,
            "mag_sky_brightness": None,
            "mag_zero_point": None if math.isnan(zero_point_mag) else zero_point_mag,
            "noise": {"type": None},
            "pixels": {
                "field_of_view_x": [-half, half],
                "field_of_view_y": [-half, half],
                "num_pix_x": observed.size_px,
                "num_pix_y": observed.size_px,
                "fits_file": {"path": None},
            },
        },
        "lensing_entities": [
            entity("MassField", "external shear", z_lens,
                   mass_model=profile("ExternalShear", shear)),
            entity("Galaxy", "lens", z_lens, light_model=profile("Sersic", galaxy),
                   mass_model=profile({"sie": "SIE", "epl": "PEMD"}[posterior.mass], mass)),
            entity("Galaxy", "source", z_source, light_model=profile("Sersic", source),
                   mass_model=[]),
        ],
    }  # fmt: skip
