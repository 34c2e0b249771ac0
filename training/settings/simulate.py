"""Settings of simulated surveys."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError


class SimulateSettings(RunSettings):
    """Simulate a survey of lenses and non-lenses with known truth."""

    kind = "simulate"
    older_names: ClassVar = {"labelled": "labeled", "artefact_fraction": "artifact_fraction"}
    units: ClassVar = {"size_arcsec": "arcsec", "noise_correlation_px": "px"}
    groups: ClassVar = {
        "Catalog": ("catalog", "survey", "bands", "pixels", "size_arcsec"),
        "Sample": ("scale", "n_objects", "lens_fraction", "labeled", "seed"),
        "Variety": (
            *("quasar_fraction", "group_fraction", "artifact_fraction"),
            *("mass", "noise_correlation_px"),
        ),
        "Selection of lenses": ("min_arc_snr", "min_magnification"),
        "Running": ("device",),
    }

    catalog = param.String(default="simulated", doc="Name of the catalog to make.")
    survey = param.String(default="hsc", doc="Survey whose bands, PSF, depth and noise to imitate.")
    bands = param.List(default=[], item_type=str, doc="Bands to simulate; empty: all.")
    pixels: Any = param.Selector(
        default="flux",
        objects=["flux", "rendered"],
        doc="Linear flux, or 8-bit color pictures of the survey's three bands for color.",
    )
    size_arcsec = param.Number(
        default=12.0,
        bounds=(6, 240),
        doc="Side of the cutouts; cluster-scale lenses need 64 or more, and 4 Einstein radii.",
    )
    scale: Any = param.Selector(
        default="galaxy", objects=["galaxy", "cluster"], doc="Scale of the lenses."
    )
    n_objects = param.Integer(default=4000, bounds=(1, 10_000_000), doc="Cutouts to make.")
    lens_fraction = param.Number(
        default=0.5, bounds=(0, 1), doc="Fraction that are lenses (surveys: about 1e-3)."
    )
    labeled = param.Boolean(
        default=True, doc="Store the labels; off hides them (the truth is kept apart)."
    )
    seed = shared.seed("Same seed, same pixels.")

    quasar_fraction = param.Number(
        default=0.0,
        bounds=(0, 1),
        doc="Fraction of galaxy-scale lenses whose source is a quasar; the same number of "
        "non-lenses are galaxies with stars or single quasars beside them.",
    )
    group_fraction = param.Number(
        default=0.0,
        bounds=(0, 1),
        doc="Fraction of galaxy-scale lenses that are groups, with images up to about 8 arcsec "
        "from the center; the same number of non-lenses are such groups without arcs.",
    )
    artifact_fraction = param.Number(
        default=0.05,
        bounds=(0, 1),
        doc="Fraction of images, of lenses and non-lenses, with an artifact: cosmic ray, satellite "
        "trail, bad column, bright star or chip gap.",
    )

    mass: Any = param.Selector(
        default="epl",
        objects=["epl", "sie"],
        doc="Mass of single galaxies: elliptical power laws, each of its own slope, or isothermal.",
    )
    noise_correlation_px = param.Number(
        default=0.0,
        bounds=(0, 3),
        doc="Largest Gaussian sigma of the noise correlation due to resampling.",
    )
    min_arc_snr = param.Number(
        default=20.0, bounds=(0, 1000), doc="Matched-filter S/N that the arcs of a lens must have."
    )
    min_magnification = param.Number(
        default=3.0, bounds=(0, 100), doc="Total magnification that a lens must have."
    )
    device = shared.device("Where images are rendered; auto: on a GPU if there is one.")

    def title(self) -> str:
        return f"Simulate {self.n_objects:,} objects as {self.survey} into {self.catalog}"

    def check(self) -> None:
        if self.scale == "cluster" and self.size_arcsec < 64:
            raise BadInputError(
                f"size_arcsec = {self.size_arcsec:g}: cluster-scale lenses need cutouts of at "
                "least 64 arcsec."
            )
        if self.scale == "cluster" and (self.quasar_fraction or self.group_fraction):
            raise BadInputError(
                "quasar_fraction, group_fraction: quasars and groups are simulated at galaxy scale "
                "only."
            )
        if self.quasar_fraction + self.group_fraction > 1:
            raise BadInputError("quasar_fraction and group_fraction: together at most 1.")
