"""Image files by the names and patterns of a table's rows, within the folders that are allowed."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.fetching.kept import position_name, why_absent
from lensing_core.ingest.images import RowRequest
from lensing_core.ingest.rejection import RowRejected

FETCHED = "{ra_dec}"
"""In the file-name pattern of images that were fetched for positions."""


_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Locator:
    """Finds the image file of a row.

    Attributes
    ----------
    root : Path
        Folder that relative names start from, or the one file of all rows.
    pattern : str
        A name with column names in braces, and ``{id}``, ``{band}`` and ``{ra_dec}`` (the position,
        as fetched images are called); empty: the table names files.
    more_roots : tuple of str
        Folders besides ``root`` that files may be in.
    """

    root: Path
    pattern: str = ""
    more_roots: tuple[str, ...] = ()

    def find(self, row: RowRequest, band: str = "", key: str = "") -> Path:
        """The file of a row (and band, called ``key`` in names); it need not exist.

        Raises
        ------
        RowRejected
            missing_file, if the table names none; outside_folder, if the name or a link leads out
            of the folders that files may be in; not_a_file.
        """
        if self.is_one_file and not self.pattern:
            return self.root
        if self.pattern:
            # Joining text is several times faster than joining paths.
            filled = self._fill(row, key or band)
            return self._confined(existing_spelling(Path(f"{self.root}/{filled}")))
        name = row.band_files.get(band) if row.band_files else row.file
        if name:
            return self._confined(existing_spelling(self.root / name))
        where = f" in band {band}" if band and row.band_files else ""
        raise RowRejected("missing_file", f"The table names no image file{where} for this row.")

    @property
    def is_one_file(self) -> bool:
        """Return whether one file holds the images of all rows, whatever names the table has."""
        return _is_file(self.root)

    def has(self, row: RowRequest, band: str = "", key: str = "") -> bool:
        """Return whether a row's file is there."""
        try:
            return self.find(row, band, key).is_file()
        except RowRejected:
            return False

    def _confined(self, path: Path) -> Path:
        folder, name = os.path.split(path)
        try:
            inside = name not in ("", "..") and _is_inside(folder, str(self.root), self.more_roots)
            mode = os.lstat(path).st_mode if inside else 0
            if stat.S_ISLNK(mode):
                target = os.path.realpath(path)
                inside = _is_inside(os.path.dirname(target), str(self.root), self.more_roots)
                mode = os.stat(path).st_mode if inside else 0
            if inside and not stat.S_ISREG(mode):
                raise irregular(path, mode)
        except FileNotFoundError:
            # Whoever opens it says so, unless a note says why it is not there.
            if inside and FETCHED in self.pattern and (why := why_absent(path)):
                raise RowRejected("not_fetched", why, str(path)) from None
        except (OSError, ValueError) as error:
            raise RowRejected(
                "missing_file", f"The name {str(path)[:200]!r} is none of a file: {error}."
            ) from error
        if not inside:
            raise RowRejected(
                "outside_folder",
                f"{path} leads out of the images folder {self.root}; add the folder that it is in "
                "to the setting more_roots if that is meant.",
                str(path),
            )
        return path

    def _fill(self, row: RowRequest, band: str) -> str:
        parts = list(_parts(self.pattern))
        for k in range(1, len(parts), 2):
            name = parts[k]
            if name == "id":
                parts[k] = row.object_id
            elif name == "band":
                parts[k] = band
            elif name == "ra_dec":
                parts[k] = _position_of(row)
            elif name in row.values:
                parts[k] = row.values[name]
            else:
                known = sorted({*row.values, "id", "band", "ra_dec"})
                raise BadInputError(
                    f"Pattern {self.pattern!r}: there is no column {name!r}; use "
                    f"{{{'}, {'.join(known)}}} or another column of the table."
                )
        return "".join(parts)


def _position_of(row: RowRequest) -> str:
    if row.position_deg is None:
        raise RowRejected(
            "bad_coordinates", "The row has no position, for which an image could be fetched."
        )
    return position_name(*row.position_deg)


@lru_cache(maxsize=256)
def _is_file(path: Path) -> bool:
    return path.is_file()


def irregular(path: Path, mode: int) -> RowRejected:
    """Rejection of something that is not a regular file."""
    return RowRejected("not_a_file", f"{path} is {_kind(mode)}, not a file.", str(path))


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


@lru_cache(maxsize=4096)
def _is_inside(folder: str, root: str, more_roots: tuple[str, ...]) -> bool:
    """Return whether a folder, with all links followed, is one of the roots or below one."""
    real = os.path.realpath(folder)
    own = root if os.path.isdir(root) else os.path.dirname(root)
    roots = (os.path.realpath(os.path.expanduser(name)) for name in (own, *more_roots))
    return any(os.path.commonpath((real, top)) == top for top in roots)


@lru_cache(maxsize=64)
def _parts(pattern: str) -> tuple[str, ...]:
    """Text and names of columns, in turn."""
    return tuple(_FIELD.split(pattern))


def pattern_fields(pattern: str) -> set[str]:
    """Names in braces of a file-name pattern."""
    return set(_FIELD.findall(pattern))


@lru_cache(maxsize=64)
def expression_of(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """The expression that names of a pattern fit, and the fields that its groups hold in turn.

    A field is as long as can be, ``{band}`` as short: ``a_b_g`` is the object ``a_b`` in g by
    ``{id}_{band}``, ``g_a_b`` the same by ``{band}_{id}``.
    """
    made, fields = [], list[str]()
    for k, part in enumerate(_parts(pattern)):
        if k % 2 == 0:
            made.append(re.escape(part))
        elif part in fields:
            made.append(rf"(?:\{fields.index(part) + 1})")
        else:
            fields.append(part)
            made.append("([^/]+?)" if part == "band" else "([^/]+)")
    return re.compile("".join(made)), tuple(fields)


def fields_in(pattern: str, name: str) -> dict[str, str]:
    """Values of a pattern's fields in a name that fits it; empty if it does not."""
    expression, fields = expression_of(pattern)
    match = expression.fullmatch(name)
    return {} if match is None else dict(zip(fields, match.groups(), strict=True))


def existing_spelling(path: Path) -> Path:
    """``path``, or the same name in the other Unicode normal form if only that exists.

    macOS and some archives store decomposed letters; tables mostly hold composed ones.
    """
    if str(path).isascii() or path.exists():
        return path
    for form in ("NFC", "NFD"):
        other = Path(unicodedata.normalize(form, str(path)))
        if other.exists():
            return other
    return path
