"""Arrays that somebody sends as bytes: ``.npy`` and ``.npz``, without pickle, within bounds.

The shape that a file states is compared with the bytes that are there before memory is taken for
it, and an archive's members are not expanded beyond a limit.
"""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array
from lensing_core.errors import BadInputError
from lensing_core.stored_arrays import parse_header

MOST_EXPANDED = 64 * 2**20
"""Bytes of all members of an archive."""
_MOST_MEMBERS = 16
_NUMBERS = "fiu"


def read_array(content: bytes, name: str = "The array") -> NDArray[Any]:
    """Array of numbers or of text in ``.npy`` form.

    Parameters
    ----------
    name : str, optional
        Of the array, for messages.

    Raises
    ------
    BadInputError
        If the bytes are no such array, or fewer than the shape needs.
    """
    if content[:6] != b"\x93NUMPY":
        raise BadInputError(f"{name} is no .npy array.")
    try:
        start, shape, dtype = parse_header(content)
    except ValueError as error:
        raise BadInputError(f"{name} cannot be read: {error}.") from None
    if dtype.kind not in (*_NUMBERS, "U"):
        raise BadInputError(f"{name} holds {dtype}; send numbers.")
    needed = math.prod(shape) * dtype.itemsize
    if len(content) - start != needed:
        raise BadInputError(
            f"{name} has shape {shape} of {dtype}, {needed:,} bytes, but {len(content) - start:,} "
            "came."
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Arrays by name from the bytes of a ``.npz`` archive, or of a ``.npy`` file as ``flux``.

    Raises
    ------
    BadInputError
        If they are neither, or expand to more than :data:`MOST_EXPANDED`.
    """
    if content[:4] != b"PK\x03\x04":
        return {"flux": read_array(content)}
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if len(members) > _MOST_MEMBERS or total > MOST_EXPANDED:
                raise BadInputError(
                    f"The archive holds {len(members)} arrays of {total:,} bytes; send up to "
                    f"{_MOST_MEMBERS} of {MOST_EXPANDED:,}."
                )
            # A member is read no further than the size that stands in the directory.
            return {
                (name := member.filename.removesuffix(".npy")): read_array(
                    archive.read(member), name[:40] or "An array without a name"
                )
                for member in members
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BadInputError(f"The archive cannot be read: {error}.") from None


def as_cutouts(flux: NDArray[Any]) -> Float32Array:
    """Cutouts (n, band, y, x) in float32 from an array of that shape or of one cutout.

    Raises
    ------
    BadInputError
        If it has another shape, holds no numbers, or cutouts are not square.
    """
    if flux.dtype.kind not in _NUMBERS:
        raise BadInputError(f"The array holds {flux.dtype}; send numbers.")
    cutouts = flux[None] if flux.ndim == 3 else flux
    if cutouts.ndim != 4 or not cutouts.size or cutouts.shape[2] != cutouts.shape[3]:
        raise BadInputError(
            f"The array has shape {flux.shape}; send square cutouts, (n, band, y, x) or "
            "(band, y, x)."
        )
    return np.ascontiguousarray(cutouts, dtype=np.float32)
