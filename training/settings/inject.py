"""Settings of arcs painted into real cutouts."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError

STRETCHES = ("estimated", "humvi", "legacy", "lupton")


class InjectSettings(RunSettings):
    """Paint arcs into the real cutouts of a catalog, to train on."""

    kind = "inject"
    files: ClassVar = ("sources_path",)
    units: ClassVar = {
        "min_theta_e_arcsec": "arcsec",
        "max_theta_e_arcsec": "arcsec",
        "min_magnitude": "mag",
        "max_magnitude": "mag",
    }
    titles: ClassVar = {
        "source": "Catalog of galaxies",
        "catalog": "Name of the new catalog",
        "paired": "Each galaxy without arcs, too",
        "hosts": "Galaxies to paint on",
        "min_magnitude": "Brightest galaxy",
        "max_magnitude": "Faintest galaxy",
        "seed": "Seed of random numbers",
        "sources": "Lensed sources",
        "sources_path": "Images of your own sources",
        "theta_e_law": "Distribution of θ_E",
        "min_theta_e_arcsec": "Smallest θ_E",
        "max_theta_e_arcsec": "Largest θ_E",
        "min_arc_snr": "Smallest S/N of the arcs",
        "min_second_snr": "Smallest S/N of the counter-image",
        "min_magnification": "Smallest magnification",
        "stretch": "Stretch of the pictures",
        "stretch_q": "Q of the asinh stretch",
    }
    groups: ClassVar = {
        "Catalog": ("source", "catalog", "paired"),
        "Sample": ("n_galaxies", "hosts", "min_magnitude", "max_magnitude", "seed"),
        "Sources": ("sources", "sources_path"),
        "Lenses": (
            *("theta_e_law", "min_theta_e_arcsec", "max_theta_e_arcsec"),
            *("min_arc_snr", "min_second_snr", "min_magnification"),
        ),
        "Pictures": ("stretch", "stretch_q"),
    }

    source = param.String(
        default="", doc="Catalog whose galaxies are used; its images are flux or color pictures."
    )
    catalog = param.String(default="injected", doc="Name of the catalog to make.")
    paired = param.Boolean(
        default=True,
        doc="Put each galaxy into the new catalog twice, without and with arcs; off: only with "
        "arcs.",
    )
    n_galaxies = param.Integer(
        default=1000, bounds=(1, 10_000_000), doc="Galaxies to paint arcs around, at most."
    )
    hosts: Any = param.Selector(
        default="red_extended",
        objects=["red_extended", "all"],
        doc="Galaxies to paint on: red and extended ones, like lenses (those flagged by a column "
        "LRG of the table, else by their pixels), or all.",
    )
    min_magnitude: Any = param.Number(default=None, allow_None=True, doc="Leave out brighter ones.")
    max_magnitude: Any = param.Number(default=None, allow_None=True, doc="Leave out fainter ones.")
    seed = shared.seed("Same seed, same arcs.")
    sources = param.ListSelector(
        default=["cosmos_f814w", "hubble_deep_field"],
        objects=["cosmos_f814w", "hubble_deep_field", "simulated"],
        doc="Lensed sources, each kind equally often: galaxies of COSMOS (HST, F814W), of the "
        "Hubble deep field (in colors), or simulated ones.",
    )
    sources_path = param.String(
        default="",
        doc="Your own sources in addition: a folder of FITS images, one galaxy each, or a "
        "file .npz.",
    )
    theta_e_law: Any = param.Selector(
        default="natural",
        objects=["natural", "flat"],
        doc="Einstein radii: those of early-type galaxies weighted by their cross section, or "
        "equally many at every radius.",
    )
    min_theta_e_arcsec = param.Number(
        default=0.5, bounds=(0.1, 30), doc="No smaller Einstein radius is drawn."
    )
    max_theta_e_arcsec = param.Number(
        default=3.0,
        bounds=(0.2, 60),
        doc="Largest Einstein radius, and at most a quarter of the cutout's side.",
    )
    min_arc_snr = param.Number(
        default=20.0,
        bounds=(0, 1000),
        doc="Minimum S/N of all arcs together (Collett 2015, ApJ 811, 20).",
    )
    min_second_snr = param.Number(
        default=5.0,
        bounds=(0, 100),
        doc="Minimum S/N of the second-brightest image within the PSF.",
    )
    min_magnification = param.Number(
        default=3.0,
        bounds=(0, 100),
        doc="Minimum total magnification (Collett 2015).",
    )
    stretch: Any = param.Selector(
        default="estimated",
        objects=list(STRETCHES),
        doc="How color pictures were stretched: estimated from their noise, or by the program that "
        "made them.",
    )
    stretch_q = param.Number(
        default=20.0,
        bounds=(0, 1000),
        inclusive_bounds=(False, True),
        doc="Softening Q of that stretch; not used if the stretch is estimated.",
    )

    def title(self) -> str:
        return f"Paint arcs into {self.n_galaxies:,} galaxies of {self.source}"

    def check(self) -> None:
        if not self.source:
            raise BadInputError("source: name the catalog whose galaxies are to be used.")
        if self.source == self.catalog:
            raise BadInputError("catalog: choose a new name; the source is never changed.")
        if not self.sources and not self.sources_path:
            raise BadInputError("sources: choose at least one set, or give sources_path.")
        if self.min_theta_e_arcsec >= self.max_theta_e_arcsec:
            raise BadInputError(
                f"min_theta_e_arcsec = {self.min_theta_e_arcsec:g} is not below "
                f"max_theta_e_arcsec = {self.max_theta_e_arcsec:g}."
            )
