"""Disk space that the parts of a workspace take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lensing_core.workspace import Workspace


def folder_sizes(workspace: Workspace) -> dict[str, int]:
    """Bytes below each folder of the root, and of the files beside them under ``database``.

    Links are not followed; files that vanish meanwhile count nothing.
    """
    sizes = {"database": 0}
    with os.scandir(workspace.root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                sizes[entry.name] = sum(_file_sizes(Path(entry.path)))
            elif entry.name.startswith(workspace.database.name):
                sizes["database"] += entry.stat(follow_symlinks=False).st_size
    return sizes


def run_sizes(workspace: Workspace, run_ids: Iterable[str]) -> dict[str, int]:
    """Bytes of the folders of some runs; 0 where a run has none."""
    return {run_id: sum(_file_sizes(workspace.runs / run_id)) for run_id in run_ids}


def _file_sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
