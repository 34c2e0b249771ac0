"""The names and units of a feature table, with a hash that a model is held to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lensing_core.errors import ContractError


@dataclass(frozen=True)
class FeatureSchema:
    """Names and units of a feature table's columns.

    Attributes
    ----------
    version : str
        Of the code that computes the features.
    names, units : tuple of str
        One a column.
    """

    version: str
    names: tuple[str, ...]
    units: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sha256(self) -> str:
        """Hash of version, names and units."""
        text = json.dumps([self.version, self.names, self.units])
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "version": self.version,
            "names": list(self.names),
            "units": list(self.units),
            "sha256": self.sha256,
        }

    def check(self, stored: dict[str, Any]) -> None:
        """Raise ContractError unless ``stored`` (from :meth:`to_json`) is this schema."""
        if stored["sha256"] != self.sha256:
            raise ContractError(
                f"The model was trained on {len(stored['names'])} features of version "
                f"{stored['version']}; this program computes {len(self)} of version "
                f"{self.version}. Train it again."
            )
