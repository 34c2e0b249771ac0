"""Specification of an encoder and its input, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.models.contract import InputContract
from lensing_core.models.encoders.layers import LAYERS, Layers
from lensing_core.models.encoders.picture import PictureMapping

VIEWS = (1, 4, 8)
GALAXY_CROPS_ARCSEC = (9.0, 18.0)


@dataclass(frozen=True)
class EncoderSpec:
    """A pretrained network with how cutouts are shown to it.

    Attributes
    ----------
    backbone : str
        Of timm.
    source : str
        Where the weights come from, for people.
    input_px : int
        Side of the pictures that it sees.
    crops_arcsec : tuple of float
        Sides of the central squares that are shown to it, each resized to ``input_px``; their
        embeddings stand one after the other.
    views : {1, 4, 8}
        Orientations over which embeddings are averaged: four rotations, or with reflections eight.
    mean, std : tuple of three float
        Subtracted from levels 0 to 1, and divided by.
    picture : PictureMapping
    layers : {'both', 'middle', 'last'}
        Of the network, see :mod:`~lensing_core.models.encoders.layers`.
    """

    backbone: str
    source: str
    input_px: int
    crops_arcsec: tuple[float, ...]
    views: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    picture: PictureMapping
    layers: Layers = "both"

    def __post_init__(self) -> None:
        if self.views not in VIEWS:
            raise BadInputError(
                f"{self.views} views: use 1, 4 (rotations) or 8 (with reflections)."
            )
        if self.layers not in LAYERS:
            raise BadInputError(f"Layers {self.layers!r}: use one of {', '.join(LAYERS)}.")
        if not self.crops_arcsec or min(self.crops_arcsec) <= 0:
            raise BadInputError(
                f"Crops of {list(self.crops_arcsec)} arcsec: give at least one, above 0."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "picture": self.picture.to_json()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> EncoderSpec:
        """The spec that :meth:`to_json` wrote."""
        return cls(
            **{
                **stored,
                **{k: tuple(stored[k]) for k in ("crops_arcsec", "mean", "std")},
                "picture": PictureMapping.from_json(stored["picture"]),
            }
        )


def default_crops(geometry: CutoutGeometry, scale: str = "galaxy") -> tuple[float, ...]:
    """Two sides in arcsec: what holds the arcs, and the surroundings.

    At galaxy scale :data:`GALAXY_CROPS_ARCSEC`; at cluster scale half of the cutout and all of it.
    A crop that is larger than the cutout is the whole cutout, and two such are one.
    """
    whole = geometry.size_arcsec
    wanted = GALAXY_CROPS_ARCSEC if scale == "galaxy" else (whole / 2, whole)
    if whole <= wanted[0] * 1.2:  # both would be nearly the same picture
        wanted = (whole / 2, whole)
    return tuple(dict.fromkeys(round(min(crop, whole), 4) for crop in wanted))


def crop_px(crop_arcsec: float, geometry: CutoutGeometry | InputContract) -> int:
    """Pixels of a central crop, with the parity of the cutout, so that both share a center."""
    size = min(geometry.size_px, round(crop_arcsec / geometry.pixel_scale_arcsec))
    return max(1, size - (geometry.size_px - size) % 2)
