"""All published sets by key, and how one becomes a table."""

from __future__ import annotations

from lensing_core.errors import BadInputError
from lensing_core.named_sets.images import IMAGE_SETS
from lensing_core.named_sets.lens_lists import LENS_LISTS
from lensing_core.named_sets.rows import NamedSet

NAMED_SETS: dict[str, NamedSet] = {one.key: one for one in (*IMAGE_SETS, *LENS_LISTS)}
ATTACHABLE: dict[str, NamedSet] = {
    key: one for key, one in NAMED_SETS.items() if one.source.startswith("obs:")
}
"""Sets whose labels belong to places on the sky."""


def named_set(key: str) -> NamedSet:
    """Return the set of a key; raises BadInputError for an unknown one."""
    if key not in NAMED_SETS:
        raise BadInputError(f"Preset {key!r}: choose one of {', '.join(NAMED_SETS)}.")
    return NAMED_SETS[key]
