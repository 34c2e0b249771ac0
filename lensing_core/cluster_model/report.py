"""Files of a modeled cluster: report, maps, curves, images, members."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from lensing_core.cluster_model.fitting import Fit, degrees_of_freedom, reduced_chi2
from lensing_core.cluster_model.maps import LensingMaps, wcs_of, write_map
from lensing_core.cluster_model.modeling import VERSION, ClusterModels, ModeledCluster
from lensing_core.cluster_model.planes import LensPlane, described
from lensing_core.disk import replacing

REPORT = "report.json"
TEXT = "report.txt"
CURVES = "curves.reg"
IMAGES = "images.ecsv"
MEMBERS = "members.ecsv"
_LEAST_CURVE_ARCSEC2 = 1.0
_INDEX_STEP = 3  # points of a curve that are written


def write_models(models: ClusterModels, folder: Path) -> list[str]:
    """Write all files into a folder, the report last; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _write_maps(models, folder)
    _write_text(folder / CURVES, regions(models))
    names.append(CURVES)
    if models.best.images:
        _write_table(folder / IMAGES, images_table(models))
        names.append(IMAGES)
    if models.given.members:
        _write_table(folder / MEMBERS, members_table(models))
        names.append(MEMBERS)
    report = report_json(models)
    _write_text(folder / TEXT, report_text(report))
    dumped = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    _write_text(folder / REPORT, dumped)
    return [*names, TEXT, REPORT]


def _write_maps(models: ClusterModels, folder: Path) -> list[str]:
    given, ratio = models.given, models.ratio
    cards: dict[str, object] = {
        "OBJECT": given.name,
        "ZLENS": (given.plane.z_lens, "redshift of the lens"),
        "ZSOURCE": (given.z_source, "of the magnification"),
        "RATIO": (ratio, "D_ls / D_s of the magnification"),
        "COSMO": described(given.plane.cosmology),
    }
    unity = "for D_ls/D_s = 1"
    maps = models.best.maps
    files = {
        "kappa": (maps.kappa, "", f"kappa {unity}"),
        "gamma_1": (maps.gamma_1, "", f"gamma_1 {unity}, along x"),
        "gamma_2": (maps.gamma_2, "", f"gamma_2 {unity}"),
        "deflection_x": (maps.alpha_x, "arcsec", f"alpha_x {unity}, x to the west"),
        "deflection_y": (maps.alpha_y, "arcsec", f"alpha_y {unity}, y to the north"),
        "magnification": (maps.magnification(ratio), "", "magnification, signed"),
    }
    for part in models.parts:
        files[f"kappa_{part.kind}"] = (part.maps.kappa, "", f"kappa {unity}, {part.kind}")
    if models.parts:
        files["kappa_spread"] = (
            models.spread(lambda m: m.kappa), "", f"spread of kappa among the models {unity}"
        )  # fmt: skip
        files["magnification_spread"] = (
            models.spread(lambda m: _absolute(m, ratio)), "", "spread of |mu|, each at most 100"
        )  # fmt: skip
    wcs = wcs_of(maps, given.plane)
    for name, (data, unit, what) in files.items():
        write_map(folder / f"{name}.fits", data, wcs, unit=unit, what=what, cards=cards)
    return [f"{name}.fits" for name in files]


def _absolute(maps: LensingMaps, ratio: float) -> Any:
    return np.minimum(np.abs(maps.magnification(ratio)), 100.0)


def report_json(models: ClusterModels) -> dict[str, Any]:
    """Everything that was found, as plain JSON; NaN as null."""
    given = models.given
    found = {
        "name": given.name,
        "version": VERSION,
        "model": given.kind,
        "lens": {
            "z_lens": given.plane.z_lens,
            "ra_deg": given.plane.ra_deg,
            "dec_deg": given.plane.dec_deg,
            "cosmology": described(given.plane.cosmology),
        },
        "z_source": given.z_source,
        "ratio": models.ratio,
        "notes": list(given.notes),
        "reference_mag": given.reference_mag,
        "members": len(given.members),
        **_one(models.best, given.plane, models.ratio),
        "theta_e_spread_arcsec": models.theta_e_spread,
        "models": [
            {"model": part.kind, "weight": part.weight, **_one(part, given.plane, models.ratio)}
            for part in models.parts
        ],
    }
    plain: dict[str, Any] = _without_nan(found)
    return plain


def _one(part: ModeledCluster, plane: LensPlane, ratio: float) -> dict[str, Any]:
    # The mean of κ within θ_E is 1 for the source, so 1 / ratio for D_ls / D_s = 1.
    kappa_area = math.pi * part.theta_e_arcsec**2 / ratio
    return {
        "theta_e_arcsec": part.theta_e_arcsec,
        "theta_e_error_arcsec": part.theta_e_error,
        "effective_radius_arcsec": part.effective_arcsec,
        "mass_in_theta_e_msun": kappa_area * plane.solar_masses_per_kappa_arcsec2,
        "rms_arcsec": part.rms_arcsec,
        "rms_held_out_arcsec": part.rms_held_out_arcsec,
        "missed": part.missed,
        "fit": _fit(part.fitted, plane) if part.fitted else None,
        "images": _images(part, plane),
    }


def _fit(fitted: Fit, plane: LensPlane) -> dict[str, Any]:
    return {
        "chi2": fitted.chi2,
        "prior_chi2": fitted.prior_chi2,
        "constraints": fitted.constraints,
        "parameters_free": fitted.n_parameters,
        "degrees_of_freedom": degrees_of_freedom(fitted),
        "reduced_chi2": reduced_chi2(fitted),
        "parameters": [
            {
                "name": p.name,
                "unit": p.unit,
                "value": float(value),
                "error": float(error),
                "prior_middle": p.middle,
                "prior_width": p.width,
                "logarithmic": p.logarithmic,
            }
            for p, value, error in zip(
                fitted.model.parameters, fitted.values, fitted.errors, strict=True
            )
        ],
        "families": [
            {
                "family": family.name,
                "z": family.z if not math.isnan(family.z) else plane.redshift_of(float(ratio)),
                "z_fitted": math.isnan(family.z),
                "ratio": float(ratio),
                "source_x_arcsec": float(source[0]),
                "source_y_arcsec": float(source[1]),
            }
            for family, ratio, source in zip(
                fitted.families, fitted.ratios, fitted.sources, strict=True
            )
        ],
    }


def _images(part: ModeledCluster, plane: LensPlane) -> list[dict[str, Any]]:
    rows = []
    for image in part.images:
        ra, dec = plane.to_sky(image.x, image.y)
        rows.append(
            {
                "family": image.family,
                "observed": image.observed,
                "held_out": image.held_out,
                "ra_deg": float(ra),
                "dec_deg": float(dec),
                "magnification": image.magnification,
                "offset_arcsec": image.offset_arcsec,
            }
        )
    return rows


def images_table(models: ClusterModels) -> Table:
    """Images of the sources, with the observed ones next to them."""
    return Table(rows=_images(models.best, models.given.plane))


def members_table(models: ClusterModels) -> Table:
    """Members as they were used."""
    members = models.given.members
    ra, dec = models.given.plane.to_sky([m.x for m in members], [m.y for m in members])
    return Table(
        {
            "name": [m.name for m in members],
            "ra": ra,
            "dec": dec,
            "mag": [m.magnitude for m in members],
            "axis_ratio": [m.axis_ratio for m in members],
            "position_angle_deg": [math.degrees(m.angle) - 90 for m in members],
            "free": [m.free for m in members],
        }
    )


def regions(models: ClusterModels) -> str:
    """DS9 regions: critical curves and caustics for ``z_source``, and images."""
    plane = models.given.plane
    lines = ["# Region file format: DS9 version 4.1", f"# {models.given.name}, source at z = "
             f"{models.given.z_source:g}", "global width=2", "icrs"]  # fmt: skip
    for curve in models.best.curves:
        if curve.area_arcsec2 < _LEAST_CURVE_ARCSEC2 and curve.closed:
            continue
        kind = "tangential" if curve.tangential else "radial"
        for points, color, what in (
            (curve.points, "red" if curve.tangential else "magenta", f"{kind} critical curve"),
            (curve.caustic, "cyan", f"caustic of the {kind} one"),
        ):
            thin = points[::_INDEX_STEP] if len(points) > 30 else points
            ra, dec = plane.to_sky(thin[:, 0], thin[:, 1])
            places = ",".join(f"{a:.7f},{d:+.7f}" for a, d in zip(ra, dec, strict=True))
            shape = "polygon" if curve.closed else "# segment"
            lines.append(f"{shape}({places}) # color={color} tag={{{what}}}")
    for image in models.best.images:
        if math.isnan(image.x):
            continue
        ra, dec = plane.to_sky(image.x, image.y)
        label = (image.observed or f"{image.family}?").translate(str.maketrans("{}", "()"))
        lines.append(f'circle({ra:.7f},{dec:+.7f},0.5") # color=yellow text={{{label}}}')
    return "\n".join(lines) + "\n"


def report_text(report: Mapping[str, Any]) -> str:
    """The report for reading."""
    lines = [
        f"{report['name']}: {report['model'].replace('_', ' ')}",
        f"Lens at z = {report['lens']['z_lens']:g}, {report['lens']['cosmology']}; curves and "
        f"magnification for z = {report['z_source']:g} (D_ls/D_s = {report['ratio']:.4f}).",
        *report["notes"],
        "",
        *_lines(report),
    ]
    if report["models"]:
        spread = report["theta_e_spread_arcsec"]
        lines.append(f"Spread of the Einstein radius among the models: {spread:.2f} arcsec")
    for part in report["models"]:
        name = part["model"].replace("_", " ")
        lines += ["", f"{name}, weight {part['weight']:.2f}", *_lines(part)]
    return "\n".join(lines) + "\n"


def _lines(part: Mapping[str, Any]) -> list[str]:
    error = part["theta_e_error_arcsec"]
    lines = [
        f"Einstein radius {part['theta_e_arcsec']:.2f}"
        + (f" ± {error:.2f}" if error is not None else "")
        + f" arcsec (mean convergence 1); from the critical curve's area "
        f"{_shown(part['effective_radius_arcsec'])} arcsec",
        f"Mass within it {_shown(part['mass_in_theta_e_msun'], '.3e')} solar masses",
        f"Images: rms {_shown(part['rms_arcsec'])} arcsec in the image plane, held out "
        f"{_shown(part['rms_held_out_arcsec'])} arcsec"
        + (f"; not made: {', '.join(part['missed'])}" if part["missed"] else ""),
    ]
    if fitted := part["fit"]:
        lines.append(
            f"χ² {fitted['chi2']:.1f} of images and {fitted['prior_chi2']:.1f} of priors for "
            f"{fitted['constraints']} constraints and {fitted['parameters_free']} parameters"
        )
        lines += [
            f"  {p['name']:<28} {p['value']:>12.4g} ± {p['error']:<10.3g} {p['unit']}".rstrip()
            for p in fitted["parameters"]
        ]
        lines += [
            f"  family {f['family']}: z = {_shown(f['z'])} (fitted)"
            for f in fitted["families"]
            if f["z_fitted"]
        ]
    return lines


def _shown(value: float | None, form: str = ".2f") -> str:
    return "not known" if value is None else format(value, form)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as written:
        written.write_text(text, encoding="utf-8")


def _write_table(path: Path, table: Table) -> None:
    with replacing(path) as written:
        table.write(written, format="ascii.ecsv", overwrite=True)
