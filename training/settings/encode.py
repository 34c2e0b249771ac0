"""Settings of embeddings from pretrained encoders."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError


def encoder_settings() -> dict[str, Any]:
    """Return how a pretrained encoder sees cutouts: settings that several kinds of run have."""
    return {
        "weights": param.String(
            default="",
            doc="File with the encoder's weights (safetensors, or a state dict of torch); empty: "
            "those of the package, else of timm's cache.",
        ),
        "crops": param.List(
            default=[],
            item_type=(int, float, str),
            doc="Sides in arcsec of the central squares that are encoded; empty: two, by the scale "
            "of the lenses.",
        ),
        "views": param.Selector(
            default="4",
            objects=["1", "4", "8"],
            doc="Orientations over which embeddings are averaged: 4 rotations, 8 with reflections.",
        ),
        "input_px": param.Integer(
            default=128,
            bounds=(0, 1024),
            doc="Side of the encoder's input picture; 0: that of its training, which is several "
            "times slower.",
        ),
        "layers": param.Selector(
            default="both",
            objects=["both", "middle", "last"],
            doc="Layers of the network that give embeddings; middle takes half the time.",
        ),
        "unit_levels": param.Boolean(
            default=False,
            doc="The encoder expects levels from 0 to 1, as many encoders trained on galaxies do.",
        ),
    }


def encoder_titles() -> dict[str, str]:
    """Return what forms call the settings of :func:`encoder_settings`."""
    return {
        "encoder": "Pretrained encoder",
        "weights": "File of its weights",
        "crops": "Sides of crops",
        "views": "Orientations to average",
        "input_px": "Side of its picture",
        "layers": "Layers of embeddings",
        "unit_levels": "Levels from 0 to 1",
    }


def encoder_units() -> dict[str, str]:
    """Return units of the settings of :func:`encoder_settings`."""
    return {"crops": "arcsec", "input_px": "px"}


def crops_of(values: list[Any]) -> tuple[float, ...]:
    """Sides of crops as numbers; raises BadInputError."""
    try:
        sides = tuple(float(value) for value in values)
    except ValueError:
        raise BadInputError(f"crops = {values}: give sides in arcsec.") from None
    if any(not 0 < side < 1e4 for side in sides):
        raise BadInputError(f"crops = {values}: give sides in arcsec, above 0.")
    return sides


class EncodeSettings(RunSettings):
    """Store what a pretrained encoder makes of a catalog: embeddings for heads and look-alikes."""

    kind = "encode"
    files: ClassVar = ("weights",)
    older_names: ClassVar = {"further": "additional_catalogs"}
    titles: ClassVar = {**encoder_titles(), **shared.TITLES}
    units: ClassVar = {"batch_size": "cutouts", **encoder_units()}
    groups: ClassVar = {
        "Catalog": ("catalog", "additional_catalogs"),
        "Encoder": ("encoder", "weights", "crops", "views", "input_px", "layers", "unit_levels"),
        "Running": ("batch_size", "device", "precision"),
    }

    catalog = param.String(default="survey", doc="Catalog to encode.")
    additional_catalogs = param.List(default=[], item_type=str, doc="Catalogs to encode after it.")
    encoder = param.String(
        default="efficientnet_lite0",
        doc="efficientnet_lite0, efficientnet_lite1 or efficientnet_lite2 (ImageNet weights come "
        "as packages), or a backbone of timm.",
    )
    weights = encoder_settings()["weights"]
    crops = encoder_settings()["crops"]
    views: Any = encoder_settings()["views"]
    input_px = encoder_settings()["input_px"]
    layers: Any = encoder_settings()["layers"]
    unit_levels = encoder_settings()["unit_levels"]
    batch_size = param.Integer(default=256, bounds=(1, 65536), doc="Cutouts in memory at a time.")
    device = shared.device("Where the encoder runs.")
    precision: Any = param.Selector(
        default="auto",
        objects=["auto", "32", "bf16"],
        doc="Arithmetic; auto: bf16 where the device is faster in it.",
    )

    def title(self) -> str:
        return (
            f"Encode {shared.several(self.catalog, self.additional_catalogs)} with {self.encoder}"
        )

    def check(self) -> None:
        if not self.catalog:
            raise BadInputError("catalog: name the catalog to encode.")
        if not self.encoder:
            raise BadInputError("encoder: name one.")
        crops_of(self.crops)
