"""Imports of published data sets: the set's table becomes one that any import reads."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from lens_triage.training.settings import IngestSettings
from lensing_core.ingest.limits import Limits
from lensing_core.named_sets.known import named_set, read_apart
from lensing_core.named_sets.rows import (
    COLUMNS,
    NamedSet,
    SetFiles,
    SetRow,
    file_column,
    write_rows,
)
from lensing_core.workspace import Workspace

_GROUND = {"survey": "kids", "bands": ["u", "g", "r", "i"]}
_COARSE = {"VIS": "0.1", "Y": "0.3", "J": "0.3", "H": "0.3"}


def with_preset(
    settings: IngestSettings, workspace: Workspace | None, table_seconds: float | None = None
) -> IngestSettings:
    """Return settings without a preset: its table converted, and its defaults where none were set.

    The converted table lies in the workspace's cache (without a workspace, in a temporary folder)
    under a name that follows from its content, so that a resumed import finds the same. The set is
    read in a process of its own, for at most ``table_seconds``, else as the settings say.

    Raises
    ------
    BadInputError
        If the set's table cannot be read, or its images are not there.
    """
    if not settings.preset:
        return settings
    chosen = named_set(settings.preset)
    images = settings.images or (str(Path(settings.table).parent) if settings.table else "")
    if settings.images_from:
        images = ""
    files = SetFiles(_path(settings.table), _path(images), settings.scale)
    limits = Limits(**{field.name: getattr(settings, field.name) for field in fields(Limits)})
    rows = read_apart(chosen.key, files, limits, table_seconds)
    values = settings.to_json() | {"preset": "", "images": images}
    values["table"] = str(_write(rows, chosen, workspace))
    decided = _decided(chosen, rows)
    unset = IngestSettings().to_json()
    values |= {name: value for name, value in decided.items() if values[name] == unset[name]}
    return IngestSettings.from_json(values)


def _decided(chosen: NamedSet, rows: list[SetRow]) -> dict[str, Any]:
    """Settings that the set decides, as JSON."""
    bands = list(dict.fromkeys(band for row in rows for band in row.files if band))
    decided: dict[str, Any] = {"label_source": chosen.source, "label_policy": chosen.policy}
    decided |= chosen.settings
    if bands:
        decided["bands"] = bands
        decided |= {"survey": "euclid"} if "VIS" in bands else _GROUND
        if chosen.key == "bologna2":
            decided["pixel_scales"] = {band: _COARSE[band] for band in bands}
    columns = dict(zip(COLUMNS[:3], COLUMNS[:3], strict=True))
    columns |= {name: name for name in COLUMNS[3:]}
    columns |= {f"file:{band}": file_column(band) for band in bands}
    if any("" in row.files for row in rows):
        columns["file"] = file_column("")
    if any("stack_index" in row.properties for row in rows):
        columns["stack_index"] = "stack_index"
    return decided | {"columns": columns}


def _write(rows: list[SetRow], chosen: NamedSet, workspace: Workspace | None) -> Path:
    folder = Path(tempfile.mkdtemp()) if workspace is None else workspace.cache / "named-sets"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{chosen.key}.csv"
    write_rows(draft, rows, chosen)
    digest = hashlib.sha256(draft.read_bytes()).hexdigest()[:12]
    return draft.replace(folder / f"{chosen.key}-{digest}.csv")


def _path(name: str) -> Path | None:
    return Path(name) if name else None
