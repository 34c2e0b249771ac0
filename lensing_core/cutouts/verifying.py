"""Verification of shards by the sha256 in their sidecars."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lensing_core.disk import replacing
from lensing_core.errors import DamagedError


@dataclass(frozen=True)
class ShardFault:
    """A file that is missing or not as it was written."""

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}."


def find_faults(
    folder: Path,
    *,
    n_candidates: int = 0,
    known: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[ShardFault]:
    """Compare the files of a catalog with their sidecars.

    Parameters
    ----------
    n_candidates : int, optional
        How many cutouts the shards must hold at least.
    known : Path, optional
        Where sizes and times of files are kept that were right; such a file is not read again.
    progress : callable
        Called before each file.
    """
    seen = _read_known(known)
    right: dict[str, list[int | str]] = {}
    faults: list[ShardFault] = []
    sidecars = sorted(folder.glob("shard-*.json"))
    rows = 0
    for number, sidecar in enumerate(sidecars):
        if sidecar.name != (expected := f"shard-{number:05d}.json"):
            return [*faults, ShardFault(folder / expected, "it is missing")]
        try:
            stored = json.loads(sidecar.read_text())
            wanted: dict[str, str] = dict(stored["sha256"])
            rows += int(stored["rows"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            faults.append(ShardFault(sidecar, f"it cannot be read ({error})"))
            continue
        for name, digest in wanted.items():
            progress()
            path = folder / Path(name).name
            try:
                status = path.stat()
                fingerprint: list[int | str] = [status.st_size, status.st_mtime_ns, digest]
                if seen.get(name) != fingerprint:
                    with path.open("rb") as stream:
                        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                            faults.append(ShardFault(path, "its content has changed"))
                            continue
                right[name] = fingerprint
            except FileNotFoundError:
                faults.append(ShardFault(path, "it is missing"))
            except OSError as error:
                faults.append(ShardFault(path, f"it cannot be read ({error.strerror})"))
    if not faults and rows < n_candidates:
        problem = f"its shards hold {rows:,} of the {n_candidates:,} cutouts of the catalog"
        faults.append(ShardFault(folder, problem))
    if known is not None and right != seen:
        known.parent.mkdir(parents=True, exist_ok=True)
        with replacing(known) as beside:
            beside.write_text(json.dumps(right))
    return faults


def _read_known(path: Path | None) -> dict[str, list[int | str]]:
    try:
        return {} if path is None else dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def check_shards(
    folder: Path, *, known: Path, progress: Callable[[], None], n_candidates: int = 0
) -> None:
    """Raise DamagedError where a file of a catalog is not as it was written."""
    faults = find_faults(folder, n_candidates=n_candidates, known=known, progress=progress)
    if faults:
        more = f" ({len(faults)} files in all)" if len(faults) > 1 else ""
        raise DamagedError(
            f"{faults[0].path}: {faults[0].problem}{more}. Restore it from a backup, or import "
            "the catalog again; lens-triage verify-data lists all."
        )
