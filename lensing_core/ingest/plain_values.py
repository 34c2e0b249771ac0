"""Cells of tables as plain JSON values."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from typing import Any

import numpy as np

from lensing_core.ingest.units_rows import NO_VALUE

MAX_LIST = 16  # elements of an array cell that is kept


def plain(value: Any, *, verbatim: bool = False) -> Any:
    """A JSON value: bytes as text, no NaN, missing text as None, long arrays left out.

    Parameters
    ----------
    verbatim : bool
        Words such as NA, nan and None are text, not missing values: they may be ids.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, bytes):
        value = _text_of_bytes(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        text = value.strip().strip("\0")
        return None if not text or (not verbatim and text.lower() in NO_VALUE) else text
    if isinstance(value, list | tuple):
        return [plain(v) for v in value] if len(value) <= MAX_LIST else None
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()} if len(value) <= MAX_LIST else None
    if value is None or value is np.ma.masked or isinstance(value, bool | int):
        return None if value is np.ma.masked else value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _text_of_bytes(value: bytes) -> str:
    """Text of FITS columns: UTF-8, else Latin-1, which never fails."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
