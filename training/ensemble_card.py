"""Card of an ensemble: what it is, what it was made from, how good it is, in the form of hubs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FIGURES = {
    "tpr0": "TPR0",
    "tpr10": "TPR10",
    "recall_fpr_1e-3": "recall at a false-positive rate of 1e-3",
    "average_precision": "average precision",
    "auroc": "AUROC",
}
_KINDS = {
    "lightgbm": "LightGBM trees on features",
    "network": "network",
    "encoder": "pretrained encoder",
    "pu_head": "head on outputs of the others",
}
_COUNTED = {"others": "non-lenses"}
"""What cards call counts of manifests, where they do not use the stored name."""
_TAGS = ("gravitational-lensing", "astronomy", "image-classification", "lens-triage")


def card(
    head: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]], version: str, license_id: str
) -> str:
    """Return the card as Markdown with a YAML header.

    Parameters
    ----------
    head : mapping
        What ``ensemble.json`` holds.
    models : mapping of str to mapping
        Manifests of all models, those below heads among them, by id.
    version : str
        See :func:`~lensing_core.store.ensembles.version_of`.
    license_id : str
        SPDX identifier, or ``other``.
    """
    manifest = head["manifest"]
    parts = [
        _header(head["name"], version, license_id),
        f"# {head['name']}",
        "An ensemble of [lens-triage](https://pypi.org/project/lens-triage/) that ranks cutouts of "
        "galaxies by the probability of a strong gravitational lens. A score is no confirmation.",
        _input(models),
        _members(head["members"], models),
        _training(manifest),
        _measured(manifest),
        _use(head["name"]),
        _from_elsewhere(models),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _header(name: str, version: str, license_id: str) -> str:
    """YAML: JSON's scalars and lists are YAML's, too."""
    fields = {
        "license": license_id,
        "library_name": "lens-triage",
        "pipeline_tag": "image-classification",
        "tags": list(_TAGS),
        "model_name": name,
        "version": version,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _input(models: Mapping[str, Mapping[str, Any]]) -> str:
    contracts = {
        json.dumps(m["contract"]): m["contract"] for m in models.values() if "contract" in m
    }
    lines = [
        f"- {' '.join(c['bands'])}, {c['size_px']} × {c['size_px']} px of "
        f"{c['pixel_scale_arcsec']:g}″, "
        f"{'linear flux' if c['pixel_kind'] == 'flux' else '8-bit color pictures'}"
        for c in contracts.values()
    ]
    return "\n".join(["## Input", "", *lines])


def _members(members: Sequence[str], models: Mapping[str, Mapping[str, Any]]) -> str:
    order = [*members, *(key for key in models if key not in members)]
    rows = [
        f"| `{key}` | {_KINDS[models[key]['kind']]} | {_backbone(models[key])} | "
        f"{'yes' if key in members else 'no, a head builds on it'} |"
        for key in order
    ]
    head = ["## Models", "", "| model | kind | backbone | votes |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def _backbone(model: Mapping[str, Any]) -> str:
    return str((model.get("network") or model.get("encoder") or {}).get("backbone", ""))


def _training(manifest: Mapping[str, Any]) -> str:
    lines = []
    for name in manifest.get("catalogs", []):
        origin = manifest.get("origins", {}).get(name)
        lines.append(f"- Catalog {name}" + (f", {origin}" if origin else ""))
    if "real_pixels" in manifest:
        lines.append(f"- Real pixels: {manifest['real_pixels'] or 'none: simulations alone'}")
    for name, split in manifest.get("splits", {}).items():
        counts = ", ".join(f"{n:,} {_COUNTED.get(kind, kind)}" for kind, n in split.items())
        lines.append(f"- Split {name.replace('_', ' ')}: {counts}")
    prior = manifest.get("rule", {}).get("survey_prior")
    if prior is not None:
        lines.append(f"- Class prior of the probabilities: {prior:g}")
    if not lines:
        lines = ["The manifest does not say what it was trained on."]
    return "\n".join(["## Made from", "", *lines])


def _measured(manifest: Mapping[str, Any]) -> str:
    figures = manifest.get("figures", {}).get("ensemble", {})
    rows = [
        f"| {title} | {_value(figures[key]['value'])} | {_value(figures[key]['low_95'])} to "
        f"{_value(figures[key]['high_95'])} |"
        for key, title in _FIGURES.items()
        if figures.get(key, {}).get("value") is not None
    ]
    if not rows:
        return "## Measured\n\nThe manifest holds no metrics."
    where = manifest.get("figures_on", "its test split")
    head = ["## Measured", "", f"On {where}:", "", "| metric | value | 95 % interval |"]
    return "\n".join([*head, "| --- | --- | --- |", *rows])


def _value(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _use(name: str) -> str:
    return (
        "## Use\n\n"
        f"    lens-triage import-ensemble WORKSPACE {name}\n"
        f"    lens-triage score WORKSPACE --catalog CATALOG --ensemble {name}\n\n"
        "Importing compares every file with `SHA256SUMS` (so does `sha256sum -c SHA256SUMS`). "
        "Weights are safetensors and text; nothing is pickled. Elsewhere than on data like those "
        "above, measure before you trust it, and do not take a low score for a non-lens."
    )


def _from_elsewhere(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Pretrained weights that are in the folder, with the license that comes with them."""
    sources: Iterable[str] = dict.fromkeys(
        str(m["encoder"]["source"]) for m in models.values() if m["kind"] == "encoder"
    )
    lines = [f"- {source}" for source in sources]
    return "\n".join(["## Weights from elsewhere", "", *lines]) if lines else ""
