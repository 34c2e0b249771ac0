"""Fetched files and their provenance: a folder an order, in it a folder a band.

Beside each file stands where it is from, as JSON; where there is no file, why not. The JSON is
written last: what it speaks of is there whole.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lensing_core.disk import replacing
from lensing_core.fetching.services import Order
from lensing_core.private_files import make_private_folder

PATTERN = "{band}/{ra_dec}.fits"
"""File names as imports look for them."""
_ABSENT_FOR = timedelta(days=30)
_MOST_BYTES = 20_000  # of a note on a file


def position_name(ra_deg: float, dec_deg: float) -> str:
    """Return what files of a position are called; ``{ra_dec}`` in file-name patterns.

    Six decimals of a degree are 4 mas.
    """
    return f"{ra_deg:.6f}{dec_deg:+.6f}"


def why_absent(path: Path) -> str:
    """Reason why a file could not be fetched, from the note beside its path; '' without a note."""
    try:
        with path.with_suffix(".json").open("rb") as stream:
            note = json.loads(stream.read(_MOST_BYTES))
        return str(note["problem"])[:500]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@dataclass(frozen=True)
class Kept:
    """The files of one order, below a folder."""

    folder: Path
    order: Order

    @classmethod
    def of(cls, cache: Path, order: Order) -> Kept:
        """The folder of an order below a cache; made with a note of what was ordered."""
        text = json.dumps(order.to_json(), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        kept = cls(cache / f"{order.service.key}-{digest}", order)
        for band in order.bands:
            make_private_folder(kept.folder / band)
        with replacing(kept.folder / "order.json") as beside:
            beside.write_text(text, encoding="utf-8")
        return kept

    def path(self, band: str, ra_deg: float, dec_deg: float) -> Path:
        """Path of the image of a band at a position, whether or not it exists."""
        return self.folder / band / f"{position_name(ra_deg, dec_deg)}.fits"

    def has(self, path: Path) -> bool:
        """Return whether a file was fetched whole."""
        note = self._note(path)
        try:
            return note.get("bytes") == path.stat().st_size
        except OSError:
            return False

    def is_known_absent(self, path: Path) -> bool:
        """Return whether the service said of late that it has nothing there."""
        note = self._note(path)
        try:
            said = datetime.fromisoformat(str(note["at"]))
            return bool(note.get("is_absent")) and datetime.now(UTC) - said < _ABSENT_FOR
        except (KeyError, ValueError, TypeError):
            return False

    def put(self, path: Path, content: bytes, where_from: dict[str, Any]) -> None:
        """Keep a file, then where it is from."""
        with replacing(path) as beside:
            beside.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        self._write_note(path, {**where_from, "bytes": len(content), "sha256": digest})

    def put_problem(
        self, path: Path, problem: str, where_from: dict[str, Any], *, is_absent: bool
    ) -> None:
        """Note why there is no file."""
        with suppress(FileNotFoundError):
            path.unlink()
        self._write_note(path, {**where_from, "problem": problem, "is_absent": is_absent})

    def _write_note(self, path: Path, note: dict[str, Any]) -> None:
        stamped = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **note}
        with replacing(path.with_suffix(".json")) as beside:
            beside.write_text(json.dumps(stamped, indent=1), encoding="utf-8")

    def _note(self, path: Path) -> dict[str, Any]:
        try:
            with path.with_suffix(".json").open("rb") as stream:
                note = json.loads(stream.read(_MOST_BYTES))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}
