"""Notes that a run writes into its folder, to resume from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lensing_core.disk import replacing


def write_note(path: Path, values: dict[str, Any]) -> None:
    """A small JSON file of the run, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(values))
