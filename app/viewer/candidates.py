"""Rows and details of candidates as JSON for the page's script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
from astropy.coordinates import Angle

from lens_triage.app.viewer.tiles import RENDERING
from lensing_core.imaging import LOOKS, choose_rgb_bands
from lensing_core.store.details import CandidateDetails
from lensing_core.store.list_marks import ListMarks
from lensing_core.store.ranking import RankedCandidate
from lensing_core.store.scale_scores import ScaleScores
from lensing_core.store.tables import Candidate, Catalog, Observation

Section = dict[str, Any]
_INGEST = "ingest"

_MEASURED = (
    # attribute, name for people, format, unit
    ("snr", "Signal to noise", ".1f", ""),
    ("half_light_radius_arcsec", "Half-light radius", ".2f", "″"),
    ("sersic_index", "Sérsic index", ".2f", ""),
    ("axis_ratio", "Axis ratio", ".2f", ""),
    ("position_angle_deg", "Position angle", ".1f", "° east of north"),
    ("richness", "Richness", ".1f", ""),
)
_POLICIES = {
    "all": "all uses",
    "positives_only": "positives only",
    "pretraining_only": "pretraining only",
}


def row_to_json(row: RankedCandidate) -> dict[str, Any]:
    """One row of the table, with what the viewer needs to show its picture at once."""
    candidate, score = row.candidate, row.score
    fields: dict[str, Any] = {
        "id": candidate.id,
        "cursor": [row.cursor.value, row.cursor.candidate_id],
        "object_id": candidate.object_id,
        "catalog_id": candidate.catalog_id,
        "index": candidate.cutout_index,
        "version": candidate.cutout_sha256[:12],
        "stage": candidate.stage,
        "label": candidate.label,
        "magnitude": _finite(candidate.magnitude),
    }
    if score is not None:
        for name in ("logit", "probability", "epistemic", "aleatoric", "disagreement"):
            fields[name] = _finite(getattr(score, name))
        fields["ood"] = _finite(score.ood_distance)
    return fields


def scales_to_json(scales: ScaleScores | None) -> dict[str, Any]:
    """Return a row's scores at both scales; empty where only one scale has scored its place."""
    if scales is None:
        return {}
    return {
        "scales": {
            "galaxy": _finite(scales.galaxy),
            "cluster": _finite(scales.cluster),
            "either": _finite(scales.either),
        }
    }


def marks_to_json(marks: ListMarks) -> dict[str, Any]:
    """Return what people said of a row's candidate; while it is graded blind, no class of it."""
    own, opinion = marks.own, marks.consensus
    fields: dict[str, Any] = {
        "own": None if own is None else {"uuid": own[0], "grade": own[1]},
        "consensus": None if opinion is None else vars(opinion),
        "tags": list(marks.tags),
    }
    return fields | ({"blind": True, "label": None} if marks.blind else {})


def catalog_to_json(catalog: Catalog) -> dict[str, Any]:
    """Return what the script needs to know of a catalog."""
    preferred = catalog.survey.definition.get("rgb_bands")
    return {
        "id": catalog.id,
        "name": catalog.name,
        "title": catalog.shown_name,
        "archived": catalog.archived_at is not None,
        "n": catalog.n_candidates,
        "bands": catalog.bands,
        "rgb_bands": list(choose_rgb_bands(catalog.bands, preferred)),
        "size_px": catalog.size_px,
        "size_arcsec": catalog.size_px * catalog.pixel_scale_arcsec,
        "rendered": catalog.pixel_kind == "rendered",
        "looks": [] if catalog.pixel_kind == "rendered" else list(LOOKS),
        "simulated": catalog.origin == "simulated",
        "rendering": f"{RENDERING:x}",
    }


def details_to_json(
    details: CandidateDetails, catalog: Catalog, *, blind: bool = False
) -> dict[str, Any]:
    """Members' opinions and the sections of the metadata table.

    The truth of a simulated object stays on the server until it is asked for; ``blind`` leaves
    that and the imported label out.
    """
    candidate, observation = details.candidate, details.candidate.observation
    sections = [
        _section("Position", _position(candidate)),
        _section("Redshift", _redshift(observation)),
        _section("Photometry", _photometry(candidate, observation)),
        _section("Measured", _measured(observation)),
        _section("Images", _images(candidate, observation, catalog)),
        _section("Provenance", _provenance(candidate, catalog, blind=blind)),
        _section("Additional columns", _mapping(_additional_columns(observation))),
    ]
    return {
        "id": candidate.id,
        "members": [
            {
                "name": member.model_id,
                "kind": member.kind,
                "weight": member.weight,
                "probability": _finite(member.probability),
                "logit": _finite(member.logit),
            }
            for member in details.members
        ],
        "sections": [section for section in sections if section["rows"]],
        "has_truth": bool(observation and observation.truth) and not blind,
        "sky": sky_to_json(candidate),
    }


def sky_to_json(candidate: Candidate) -> dict[str, Any]:
    """Sky coordinates of the cutout, for the viewer; null where they are not known.

    ``ra_deg``, ``dec_deg`` of the pixel ``x``, ``y`` (from 0, y upwards; null: the middle), and
    ``north_deg``, the direction of north from the y axis towards the x axis. ``matrix``: east and
    north (rows) in arcsec of a step of a pixel in x and y (columns); null for older catalogs.
    """
    ingest = _ingest(candidate.observation)
    x, y = ingest.get("centre_px", (None, None))
    return {
        "ra_deg": candidate.ra_deg,
        "dec_deg": candidate.dec_deg,
        "x": x,
        "y": y,
        "north_deg": ingest.get("north_deg"),
        "is_mirrored": ingest.get("is_mirrored", False),
        "matrix": ingest.get("sky_matrix_arcsec"),
    }


def truth_to_json(candidate: Candidate) -> list[list[str]]:
    """Name and value of each part of a simulated object's truth."""
    observation = candidate.observation
    return _mapping(observation.truth or {} if observation else {})


def _ingest(observation: Observation | None) -> Mapping[str, Any]:
    """Return the import's notes on a cutout; they are among the columns that the user brought."""
    noted = observation.properties.get(_INGEST) if observation else None
    return noted if isinstance(noted, Mapping) else {}


def _additional_columns(observation: Observation | None) -> dict[str, Any]:
    """The columns that the user brought beyond those that have a meaning here."""
    brought = observation.properties if observation else {}
    return {name: value for name, value in brought.items() if name != _INGEST}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _section(title: str, rows: list[list[str]]) -> Section:
    return {"title": title, "rows": rows}


def _position(candidate: Candidate) -> list[list[str]]:
    if candidate.ra_deg is None or candidate.dec_deg is None:
        return [["ICRS", "no position in the catalog"]]
    ra = Angle(candidate.ra_deg, u.deg).to_string(u.hour, sep=":", precision=3, pad=True)
    dec = Angle(candidate.dec_deg, u.deg).to_string(
        u.deg, sep=":", precision=2, pad=True, alwayssign=True
    )
    return [
        ["RA, Dec (deg)", f"{candidate.ra_deg:.6f} {candidate.dec_deg:+.6f}"],
        ["RA, Dec (ICRS)", f"{ra} {dec}"],
    ]


def _redshift(observation: Observation | None) -> list[list[str]]:
    if observation is None:
        return []
    rows = []
    if observation.z_spec is not None:
        rows.append(["Spectroscopic", f"{observation.z_spec:.5f}"])
    if observation.z_phot is not None:
        error = f" ± {observation.z_err:.3f}" if observation.z_err is not None else ""
        rows.append(["Photometric", f"{observation.z_phot:.3f}{error}"])
    return rows


def _photometry(candidate: Candidate, observation: Observation | None) -> list[list[str]]:
    rows = []
    magnitudes = (observation.magnitudes if observation else None) or {}
    if magnitudes:
        known = [f"{band} {_plain(value, '.2f')}" for band, value in magnitudes.items()]
        rows.append(["Magnitudes (AB)", "  ".join(known)])
    elif candidate.magnitude is not None:
        rows.append(["Magnitude (AB)", f"{candidate.magnitude:.2f}"])
    fluxes = (observation.fluxes if observation else None) or {}
    if fluxes:
        rows.append(["Fluxes", "  ".join(f"{b} {_plain(v, '.4g')}" for b, v in fluxes.items())])
    return rows


def _measured(observation: Observation | None) -> list[list[str]]:
    return [
        [name, f"{value:{spec}}{unit}"]
        for attribute, name, spec, unit in _MEASURED
        if observation is not None and (value := getattr(observation, attribute)) is not None
    ]


def _images(
    candidate: Candidate, observation: Observation | None, catalog: Catalog
) -> list[list[str]]:
    side = catalog.size_px * catalog.pixel_scale_arcsec
    kind = "8-bit color picture" if catalog.pixel_kind == "rendered" else "linear flux"
    rows = [
        ["Survey", str(catalog.survey.definition.get("title") or catalog.survey.name)],
        ["Cutout", f"{catalog.size_px} px = {side:.1f}″ at {catalog.pixel_scale_arcsec:.3g}″/px"],
        ["Pixels", f"{kind}, bands {', '.join(catalog.bands)}"],
    ]
    if observation is None:
        return rows
    flags = observation.band_flags
    if flags is not None and len(flags) == len(catalog.bands) and not all(flags):
        missing = [band for band, flag in zip(catalog.bands, flags, strict=True) if not flag]
        rows.append(["Bands without data", ", ".join(missing)])
    if observation.instrument:
        rows.append(["Instrument", observation.instrument])
    if observation.psf_fwhm_arcsec is not None:
        rows.append(["PSF FWHM", f"{observation.psf_fwhm_arcsec:.2f}″"])
    if observation.seeing_arcsec is not None:
        rows.append(["Seeing", f"{observation.seeing_arcsec:.2f}″"])
    scale = observation.source_pixel_scale_arcsec
    if scale is not None and abs(scale / catalog.pixel_scale_arcsec - 1) > 1e-3:
        rows.append(["Regridded from", f"{scale:.3g}″/px"])
    if observation.psf_matched:
        target = observation.target_psf_fwhm_arcsec
        rows.append(["PSF", f"matched to {target:.2f}″" if target is not None else "matched"])
    rows.append(["Variance map", "yes" if observation.variance_available else "no"])
    noted = _ingest(observation)
    if fraction := noted.get("nan_fraction"):
        rows.append(["Pixels without data", f"{fraction:.1%}"])
    for band, why in (noted.get("missing_bands") or {}).items():
        rows.append([f"Band {band}", f"no data: {why['message']}"])
    if noted.get("is_mirrored"):
        rows.append(["Orientation", "mirrored: east lies to the right of north"])
    return rows


def _provenance(candidate: Candidate, catalog: Catalog, *, blind: bool) -> list[list[str]]:
    rows = [
        ["Catalog", f"{catalog.name}, {catalog.origin}, cutout {candidate.cutout_index:,}"],
        ["Cutout sha256", candidate.cutout_sha256[:16]],
    ]
    noted = _ingest(candidate.observation)
    if source := noted.get("source"):
        rows.append(["Read from", str(source)])
    if came := noted.get("position_from"):
        rows.append(["Position from", str(came)])
    if known := noted.get("image_zero_points_mag"):
        rows.append(["Zero points of the images", f"{_plain(known, '.3f')} mag"])
    if candidate.label is not None and not blind:
        confidence = candidate.label_confidence
        if confidence is None:
            confidence = catalog.label_confidence
        policy = candidate.label_policy or catalog.label_policy
        source = candidate.label_source or catalog.label_source or "not stated"
        label = "lens" if candidate.label else "not a lens"
        rows += [
            ["Imported label", f"{label}, confidence {confidence:.2f}"],
            ["Label source", source],
            ["Label policy", _POLICIES.get(policy, policy)],
        ]
    return rows


def _mapping(values: Mapping[str, Any]) -> list[list[str]]:
    return [[str(name).replace("_", " "), _plain(value, ".5g")] for name, value in values.items()]


def _plain(value: Any, spec: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(value, spec) if math.isfinite(value) else "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(part, spec)}" for name, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(part, spec) for part in value)
    return str(value)
