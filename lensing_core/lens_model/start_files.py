"""Files from which lenstronomy and PyAutoLens go on with a model.

Both begin at the best parameters of the posterior, on the pixels that were fitted
(``cutout.npz``). lenstronomy's conventions are those of
:mod:`lensing_core.lens_test.shapes`; PyAutoLens counts Einstein radii and powers on the major
axis, κ = (3 − γ)/(1 + q) (R_E / sqrt(x² + y²/q²))^(γ − 1), so that
R_E = θ_E / sqrt(q) · ((1 + q)/2)^(1/(γ − 1)).
"""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lensing_core.lens_model.posterior import LensPosterior

SCRIPTS = ("lenstronomy_start.py", "pyautolens_start.py")


def script(name: str) -> str:
    """The text of one of :data:`SCRIPTS`."""
    folder = files("lensing_core.lens_model") / "scripts"
    return (folder / name.replace(".py", ".txt")).read_text(encoding="utf-8")


def cutout_arrays(posterior: LensPosterior) -> dict[str, NDArray[Any]]:
    """Pixels that were fitted: data, noise (infinite where a pixel does not count), PSFs, scale.

    The noise holds what the galaxy's model and smooth sources leave out, if the posterior's did.
    """
    light = posterior.light
    unit = light.observed.unit[:, None, None]
    with_error = posterior.summary["settings"]["with_model_error"]
    sigma = light.sigma if with_error else light.observed.sigma
    return {
        "data": light.observed.flux * unit,
        "noise": np.where(posterior.counted, sigma * unit, np.inf),
        "psf": light.observed.kernels,
        "bands": np.array(light.observed.bands),
        "pixel_scale_arcsec": np.array(light.observed.scale_arcsec),
    }


def lenstronomy_json(posterior: LensPosterior) -> dict[str, Any]:
    """Keyword arguments of lenstronomy: models and where they begin, band by band."""
    best, n = posterior.summary["best"], len(posterior.summary["bands"])
    light, slope = posterior.light, best.get("slope", 2.0)
    mass = {
        "theta_E": best["theta_e_arcsec"],
        **_ellipticity(best["axis_ratio"], best["angle_deg"]),
        "center_x": best["lens_x_arcsec"],
        "center_y": best["lens_y_arcsec"],
    }
    turn = 2 * math.radians(best["shear_angle_deg"])
    shear = {
        "gamma1": best["shear"] * math.cos(turn),
        "gamma2": best["shear"] * math.sin(turn),
        "ra_0": best["lens_x_arcsec"],
        "dec_0": best["lens_y_arcsec"],
    }
    source = {
        "R_sersic": best["source_radius_arcsec"],
        "n_sersic": best["source_index"],
        **_ellipticity(best["source_axis_ratio"], best["source_angle_deg"]),
        "center_x": best["source_x_arcsec"],
        "center_y": best["source_y_arcsec"],
    }
    galaxy = {
        "R_sersic": light.radius_arcsec,
        "n_sersic": light.sersic_index,
        **_ellipticity(*light.shape),
        "center_x": light.x,
        "center_y": light.y,
    }
    power_law = {} if posterior.mass == "sie" else {"gamma": slope}
    return {
        "bands": posterior.summary["bands"],
        "lens_model_list": ["SIE" if posterior.mass == "sie" else "EPL", "SHEAR"],
        "kwargs_lens": [{**mass, **power_law}, shear],
        "kwargs_source": [dict(source) for _ in range(n)],
        "kwargs_lens_light": [dict(galaxy) for _ in range(n)],
        "z_lens": posterior.summary["settings"]["z_lens"],
        "z_source": posterior.summary["settings"]["z_source"],
    }


def pyautolens_json(posterior: LensPosterior) -> dict[str, Any]:
    """Arguments of PyAutoLens' profiles: centers (y, x), and elliptical components."""
    best, light = posterior.summary["best"], posterior.light
    q, slope = best["axis_ratio"], best.get("slope", 2.0)
    major = best["theta_e_arcsec"] / math.sqrt(q) * ((1 + q) / 2) ** (1 / (slope - 1))
    turn = 2 * math.radians(best["shear_angle_deg"])
    moved = _shear_at(best)
    return {
        "bands": posterior.summary["bands"],
        "mass": {
            "centre": [best["lens_y_arcsec"], best["lens_x_arcsec"]],
            "ell_comps": _components(q, best["angle_deg"]),
            "einstein_radius": major,
            **({} if posterior.mass == "sie" else {"slope": slope}),
        },
        # PyAutoLens' shear is about the origin: the source moves by what it pulls at the lens.
        "shear": {
            "gamma_1": best["shear"] * math.cos(turn),
            "gamma_2": best["shear"] * math.sin(turn),
        },
        "source": {
            "centre": [best["source_y_arcsec"] - moved[1], best["source_x_arcsec"] - moved[0]],
            "ell_comps": _components(best["source_axis_ratio"], best["source_angle_deg"]),
            "effective_radius": best["source_radius_arcsec"],
            "sersic_index": best["source_index"],
        },
        "light": {
            "centre": [light.y, light.x],
            "ell_comps": _components(*light.shape),
            "effective_radius": light.radius_arcsec,
            "sersic_index": light.sersic_index,
        },
        "source_intensity": posterior.source_amplitudes.tolist(),
        "light_intensity": posterior.light_amplitudes.tolist(),
        "redshifts": [
            posterior.summary["settings"]["z_lens"],
            posterior.summary["settings"]["z_source"],
        ],
    }


def _ellipticity(q: float, angle_deg: float) -> dict[str, float]:
    """lenstronomy's e1, e2 = (1 − q)/(1 + q) (cos 2φ, sin 2φ)."""
    size, turn = (1 - q) / (1 + q), 2 * math.radians(angle_deg)
    return {"e1": size * math.cos(turn), "e2": size * math.sin(turn)}


def _components(q: float, angle_deg: float) -> list[float]:
    """PyAutoLens' elliptical components (1 − q)/(1 + q) (sin 2φ, cos 2φ)."""
    e = _ellipticity(q, angle_deg)
    return [e["e2"], e["e1"]]


def _shear_at(best: dict[str, float]) -> tuple[float, float]:
    """Deflection by the shear at the center of the mass, were it about the origin."""
    turn = 2 * math.radians(best["shear_angle_deg"])
    g1, g2 = best["shear"] * math.cos(turn), best["shear"] * math.sin(turn)
    x, y = best["lens_x_arcsec"], best["lens_y_arcsec"]
    return g1 * x + g2 * y, g2 * x - g1 * y
