"""Manifests of the form that the program writes, as small as they can be."""

from __future__ import annotations

from typing import Any

CONTRACT = {"bands": ["g"], "size_px": 32, "pixel_scale_arcsec": 0.2, "pixel_kind": "flux"}
_OF_KIND: dict[str, dict[str, Any]] = {
    "lightgbm": {"contract": CONTRACT, "features": {"names": [], "units": []}},
    "network": {"contract": CONTRACT, "network": {}, "sigma": [1.0]},
    "pu_head": {"inputs": [], "shift": 0.0},
}


def model_manifest(model_id: str, kind: str, /, **more: Any) -> dict[str, Any]:
    """Return the manifest of a model of a kind, with other entries where ``more`` has them."""
    return {"id": model_id, "kind": kind, "files": {}, **_OF_KIND[kind], **more}


def rule(survey_prior: float, *, members: int = 1, prior: float = 0.5) -> dict[str, Any]:
    """Return a rule that leaves logits as they are, less the change of class prior."""
    same = {
        "method": "platt", "slope": 1.0, "intercept": 0.0, "knots": [], "values": [],
        "prior": prior,
    }  # fmt: skip
    return {
        "fusion": "mean", "members": [same] * members, "joint": same,
        "survey_prior": survey_prior, "combiner": None,
    }  # fmt: skip
