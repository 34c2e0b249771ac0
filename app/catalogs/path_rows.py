"""Rows of a folder for the dialog that chooses files: by type, by the beginning of their names."""

from __future__ import annotations

from pathlib import Path

from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.table import Row
from lensing_core.errors import BadInputError
from lensing_core.ingest.choices import FORMAT_OF_SUFFIX
from lensing_core.ingest.file_names import IMAGE_SUFFIXES

MOST = 500
UP = ".."
_PACKED = ("", ".gz", ".bz2", ".xz", ".zip")
TYPES: dict[str, tuple[str, ...]] = {
    "Tables": tuple(f"{end}{packed}" for end in FORMAT_OF_SUFFIX for packed in _PACKED),
    "Images": IMAGE_SUFFIXES,
    "All files": (),
}
"""Endings of the files that a choice of type shows; none: all."""


def list_folder(folder: Path, shown: str = "All files", beginning: str = "") -> list[Row]:
    """Folders, then files of a folder by name, hidden ones left out; the first row leads up.

    Parameters
    ----------
    shown : str
        A key of :data:`TYPES`.
    beginning : str
        Only names that begin so, in any case.

    Raises
    ------
    BadInputError
        If the folder cannot be read.
    """
    endings = TYPES[shown]
    rows: list[Row] = []
    if folder.parent != folder:
        rows.append(_row(UP, "folder above"))
    try:
        entries = [
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".")
            and entry.name.casefold().startswith(beginning.casefold())
        ]
        folders = [entry for entry in entries if entry.is_dir()]
        files = [
            entry
            for entry in entries
            if not entry.is_dir() and (not endings or entry.name.lower().endswith(endings))
        ]
        found = [*sorted(folders, key=_by_name), *sorted(files, key=_by_name)]
        n_folders = len(folders)
        for k, entry in enumerate(found[:MOST]):
            size = "folder" if k < n_folders else fmt.file_size(entry.lstat().st_size)
            rows.append(_row(entry.name, size))
    except OSError as error:
        raise BadInputError(f"{folder} cannot be read: {error.strerror}.") from error
    others = len(entries) - len(found)
    for count, text in (
        (len(found) - MOST, "more: type the beginning of a name"),
        (others, "of other types"),
    ):
        if count > 0:
            rows.append({"key": "", "name": f"and {fmt.count(count)} {text}", "size": ""})
    return rows


def _by_name(entry: Path) -> str:
    return entry.name.lower()


def _row(name: str, size: str) -> Row:
    return {"key": name, "name": name, "size": {"text": size, "tone": "muted"}}


def typed_place(text: str, folder: Path) -> tuple[Path, str]:
    """The folder that a path being typed is in, and the beginning of the name that is looked for.

    Parameters
    ----------
    text : str
        Absolute, from home (``~/data``), or relative to ``folder``.
    """
    if text.strip() in ("", "~"):
        return (Path.home() if text.strip() else folder), ""
    path = folder / Path(text.strip()).expanduser()
    if text.endswith("/"):
        return path, ""
    return path.parent, path.name
