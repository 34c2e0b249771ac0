"""Choices of a cross-match; light to import, for settings name them, too."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["lens", "probable", "cluster", "redshift", "xray", "star", "object", "duplicate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_TITLES: dict[str, str] = {
    "lens": "known lenses",
    "probable": "probable lenses",
    "cluster": "clusters",
    "redshift": "redshifts",
    "xray": "X-ray sources",
    "star": "stars",
    "object": "other objects",
    "duplicate": "duplicates",
}
LENS_KINDS: tuple[Kind, ...] = ("lens", "probable")
"""Kinds whose objects ought to be among the candidates."""

MAX_NORMALIZED = 3.5
"""The default limit of separation over joint error: a true pair exceeds it in 0.2 % of cases."""
