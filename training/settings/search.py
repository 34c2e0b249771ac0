"""Settings of a search of one's own survey: paint arcs, train, score, in one run."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lens_triage.training.settings.encode import encoder_titles, encoder_units
from lens_triage.training.settings.inject import InjectSettings
from lensing_core.errors import BadInputError
from lensing_core.workspace import check_slug

_INJECT = {
    name: InjectSettings.param[name]
    for name in (
        *("hosts", "min_magnitude", "max_magnitude", "min_theta_e_arcsec", "max_theta_e_arcsec"),
        *("min_arc_snr", "min_second_snr", "min_magnification", "stretch", "stretch_q"),
    )
}
_ENCODER = ("encoder", "weights", "input_px", "views", "layers")
TRAINING_SETS: tuple[dict[str, Any], ...] = (
    {"sources": ["cosmos_f814w"], "theta_e_law": "natural"},
    {"sources": ["hubble_deep_field"], "theta_e_law": "natural"},
    {"sources": ["cosmos_f814w", "hubble_deep_field"], "theta_e_law": "flat"},
)
"""Differences between the training sets of a committee, beside their hosts and negatives."""


class SearchSettings(RunSettings):
    """Search a catalog: paint arcs onto its own galaxies, train on them, and score it."""

    kind = "search"
    files: ClassVar = ("sources_path", "weights")
    units: ClassVar = {
        **InjectSettings.units,
        **{name: unit for name, unit in encoder_units().items() if name in _ENCODER},
        "survey_prior": "share of lenses",
        "known_radius_arcsec": "arcsec",
    }
    titles: ClassVar = {
        **{n: t for n, t in InjectSettings.titles.items() if n in (*_INJECT, "sources_path")},
        "ensemble": "Name of the new ensemble",
        "survey_prior": "Class prior of the survey",
        "n_hosts": "Galaxies of each training set, at most",
        "seed": "Seed of random numbers",
        "training_sets": "Training sets",
        **{name: title for name, title in encoder_titles().items() if name in _ENCODER},
        "n_negatives": "Objects taken for non-lenses, at most",
        "field_weight": "Weight of these objects",
        "most_mined": "Mined non-lenses, at most",
        "label_factor": "Weight of a labeled object",
        "known_radius_arcsec": "Radius around known lenses",
    }
    groups: ClassVar = {
        "Search": ("catalog", "ensemble", "survey_prior", "n_hosts", "seed"),
        "Hosts": ("hosts", "min_magnitude", "max_magnitude"),
        "Arcs": (
            *("training_sets", "sources_path", "min_theta_e_arcsec", "max_theta_e_arcsec"),
            *("min_arc_snr", "min_second_snr", "min_magnification", "stretch", "stretch_q"),
        ),
        "Training": (
            *(*_ENCODER, "n_negatives", "field_weight"),
            *("most_mined", "label_factor", "known_radius_arcsec"),
        ),
        "Running": ("device",),
    }

    catalog = param.String(default="", doc="Catalog to search; its objects may be unlabeled.")
    ensemble = param.String(default="search", doc="Name of the ensemble to make.")
    survey_prior = shared.survey_prior("Share of lenses expected in the catalog.")
    n_hosts = param.Integer(
        default=2000,
        bounds=(4, 1_000_000),
        doc="Galaxies of the catalog to paint arcs around, at most, in each training set.",
    )
    seed = shared.seed("Same seed, same search.")
    hosts: Any = _INJECT["hosts"]
    min_magnitude: Any = _INJECT["min_magnitude"]
    max_magnitude: Any = _INJECT["max_magnitude"]
    training_sets = param.Integer(
        default=3,
        bounds=(1, 3),
        doc="Training sets: sources of COSMOS, of the Hubble deep field, and of both with as many "
        "lenses at every Einstein radius; two members learn from each.",
    )
    sources_path = InjectSettings.param["sources_path"]
    min_theta_e_arcsec = _INJECT["min_theta_e_arcsec"]
    max_theta_e_arcsec = _INJECT["max_theta_e_arcsec"]
    min_arc_snr = _INJECT["min_arc_snr"]
    min_second_snr = _INJECT["min_second_snr"]
    min_magnification = _INJECT["min_magnification"]
    stretch: Any = _INJECT["stretch"]
    stretch_q = _INJECT["stretch_q"]
    encoder = param.String(
        default="efficientnet_lite0",
        doc="Pretrained network whose embeddings members learn from: efficientnet_lite0 to 2, or a "
        "backbone of timm.",
    )
    weights = param.String(default="", doc="File with its weights; empty: those of the package.")
    input_px = param.Integer(
        default=128, bounds=(0, 1024), doc="Side of the picture that the encoder sees."
    )
    views: Any = param.Selector(
        default="1", objects=["1", "4", "8"], doc="Orientations over which embeddings are averaged."
    )
    layers: Any = param.Selector(
        default="both",
        objects=["both", "middle", "last"],
        doc="Layers of the network that embeddings are taken from; middle: half the time.",
    )
    n_negatives = param.Integer(
        default=4000,
        bounds=(4, 10_000_000),
        doc="Unlabeled objects of all types that each training set uses as non-lenses beside its "
        "hosts, at most.",
    )
    field_weight = param.Number(
        default=10.0,
        bounds=(0, 1000),
        doc="Total weight of these objects relative to the hosts without arcs, at least; few "
        "galaxies of a survey could be lenses at all.",
    )
    most_mined = param.Integer(
        default=500,
        bounds=(0, 1_000_000),
        doc="Unlabeled objects that rank highest in a first round and are added to the "
        "non-lenses, at "
        "most, and at most a fifth of these; 0: no second round.",
    )
    label_factor = param.Number(
        default=5.0,
        bounds=(0, 1000),
        doc="Weight of a known lens or a graded object relative to a painted one; 0: not used.",
    )
    known_radius_arcsec = param.Number(
        default=5.0,
        bounds=(0, 60),
        doc="Unlabeled objects this near a known lens (lenscat) are taken out of the non-lenses.",
    )
    device = shared.device("Where the encoder runs.")

    def title(self) -> str:
        return f"Search {self.catalog} for lenses with {self.ensemble}"

    def check(self) -> None:
        if not self.catalog:
            raise BadInputError("catalog: name the catalog to search.")
        check_slug(self.ensemble, what="Ensemble")
        for number in range(self.training_sets):
            self.injection(number).check()

    def injection(self, number: int) -> InjectSettings:
        """Settings of the catalog that holds training set ``number``, counted from 0."""
        return InjectSettings(
            source=self.catalog,
            catalog=f"{self.ensemble}-arcs-{number + 1}",
            paired=False,
            n_galaxies=self.n_hosts,
            seed=self.seed + 101 * number,
            sources_path=self.sources_path,
            **{name: getattr(self, name) for name in _INJECT},
            **TRAINING_SETS[number],
        )
