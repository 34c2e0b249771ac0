"""All published sets by key, and reading one in a process of its own."""

from __future__ import annotations

from lensing_core.errors import BadInputError
from lensing_core.ingest.isolation import look_apart
from lensing_core.ingest.limits import Limits
from lensing_core.ingest.object_tables import TABLE
from lensing_core.named_sets.images import IMAGE_SETS
from lensing_core.named_sets.lens_lists import LENS_LISTS
from lensing_core.named_sets.rows import NamedSet, SetFiles, SetRow
from lensing_core.supervised import mark

NAMED_SETS: dict[str, NamedSet] = {one.key: one for one in (*IMAGE_SETS, *LENS_LISTS)}


def named_set(key: str) -> NamedSet:
    """Return the set of a key; raises BadInputError for an unknown one."""
    if key not in NAMED_SETS:
        raise BadInputError(f"Preset {key!r}: choose one of {', '.join(NAMED_SETS)}.")
    return NAMED_SETS[key]


def read_apart(
    key: str, files: SetFiles, limits: Limits, table_seconds: float | None = None
) -> list[SetRow]:
    """Read the rows of a set in a helper process, within limits of memory and time.

    Raises
    ------
    BadInputError
        If the files cannot be read, or are not those of the set.
    """
    named = str(files.table or files.images or key)
    return look_apart(_read, key, files, limits=limits, table=named, table_seconds=table_seconds)


def _read(key: str, files: SetFiles) -> list[SetRow]:
    mark(TABLE)
    return named_set(key).read(files)
