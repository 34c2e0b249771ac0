"""Settings of a selection function: lenses injected on a grid, scored as the catalog was."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import param

from lens_triage.training.settings import shared
from lens_triage.training.settings.base import RunSettings
from lens_triage.training.settings.inject import InjectSettings
from lensing_core.errors import BadInputError
from lensing_core.selection.injections import Grid
from lensing_core.workspace import check_slug

_HOSTS = ("hosts", "min_magnitude", "max_magnitude")
_SOURCES = ("sources", "sources_path", "stretch", "stretch_q")
_INJECT = {name: InjectSettings.param[name] for name in (*_HOSTS, *_SOURCES)}


class SelectionSettings(RunSettings):
    """Measure the selection function: which lenses a search finds, by θ_E and arc S/N."""

    kind = "selection"
    files: ClassVar = ("sources_path", "population")
    units: ClassVar = {
        **InjectSettings.units,
        "top": "candidates",
        "survey_prior": "share of lenses",
    }
    titles: ClassVar = {
        **{name: InjectSettings.titles[name] for name in _INJECT},
        "top": "Length of the list",
        "min_probability": "Smallest probability",
        "lens_test": "Lens test after the cut",
        "min_theta_e_arcsec": "Smallest θ_E",
        "max_theta_e_arcsec": "Largest θ_E",
        "theta_e_cells": "Cells in θ_E",
        "min_arc_snr": "Smallest S/N of the arcs",
        "max_arc_snr": "Largest S/N of the arcs",
        "snr_cells": "Cells in S/N",
        "per_cell": "Lenses in each cell",
        "seed": "Seed of random numbers",
        "injected_catalog": "Name of the injected catalog",
        "survey_prior": "Class prior of the survey",
        "population": "Table of the survey's lenses",
        "population_min_snr": "Smallest S/N of these lenses",
        "batch_size": "Cutouts in memory",
        "device": "Device",
    }
    groups: ClassVar = {
        "Search": ("catalog", "ensemble", "top", "min_probability", "lens_test"),
        "Grid": (
            *("min_theta_e_arcsec", "max_theta_e_arcsec", "theta_e_cells"),
            *("min_arc_snr", "max_arc_snr", "snr_cells", "per_cell", "seed", "injected_catalog"),
        ),
        "Hosts": _HOSTS,
        "Sources": _SOURCES,
        "Population": ("survey_prior", "population", "population_min_snr"),
        "Running": ("batch_size", "device"),
    }

    catalog = param.String(default="", doc="Catalog that was searched; lenses are injected here.")
    ensemble = param.String(default="", doc="Ensemble that has scored it.")
    top = param.Integer(
        default=500,
        bounds=(1, None),
        doc="A lens is found if it would rank among this many of the catalog; not with "
        "min_probability.",
    )
    min_probability: Any = param.Number(
        default=None,
        allow_None=True,
        bounds=(0, 1),
        inclusive_bounds=(False, False),
        doc="A lens is found if its calibrated probability is at least this.",
    )
    lens_test = param.Boolean(
        default=False,
        doc="Make the lens test a step of the search: lenses that pass the cut are fitted, "
        "seconds each.",
    )
    min_theta_e_arcsec = param.Number(
        default=0.5, bounds=(0.1, 30), doc="Smallest Einstein radius that is injected."
    )
    max_theta_e_arcsec = param.Number(
        default=3.0,
        bounds=(0.2, 60),
        doc="Largest one; at most a quarter of the cutout's side.",
    )
    theta_e_cells = param.Integer(
        default=6, bounds=(2, 40), doc="Cells in θ_E, of equal width in its logarithm."
    )
    min_arc_snr = param.Number(
        default=5.0, bounds=(1, 1000), doc="Smallest S/N of all arcs together."
    )
    max_arc_snr = param.Number(default=200.0, bounds=(2, 100_000), doc="Largest one.")
    snr_cells = param.Integer(
        default=6, bounds=(2, 40), doc="Cells in S/N, of equal width in its logarithm."
    )
    per_cell = param.Integer(
        default=20, bounds=(2, 100_000), doc="Lenses to inject into each cell."
    )
    seed = shared.seed("Same seed, same lenses.")
    injected_catalog = param.String(
        default="",
        doc="Name of the catalog of injected lenses; empty: that of the catalog and -injected. "
        "Several ensembles may be measured on the same one.",
    )
    hosts: Any = _INJECT["hosts"]
    min_magnitude: Any = _INJECT["min_magnitude"]
    max_magnitude: Any = _INJECT["max_magnitude"]
    sources = _INJECT["sources"]
    sources_path = _INJECT["sources_path"]
    stretch: Any = _INJECT["stretch"]
    stretch_q = _INJECT["stretch_q"]
    survey_prior = shared.survey_prior(
        "Share of lenses in the catalog, from the smallest S/N of the population on: purity and "
        "the number of lenses follow from it."
    )
    population = param.String(
        default="",
        doc="Table of the survey's lenses with columns theta_e_arcsec, arc_snr and, where rows "
        "stand for several, number; empty: early-type galaxies after Collett 2015.",
    )
    population_min_snr = param.Number(
        default=20.0,
        bounds=(1, 1000),
        doc="Smallest arc S/N of the lenses that are counted; not with a table.",
    )
    batch_size = param.Integer(default=256, bounds=(1, 65536), doc="Cutouts in memory at a time.")
    device = shared.device("Where networks run.")

    def title(self) -> str:
        return f"Selection function of {self.ensemble} on {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without the database; the path is made absolute."""
        if not self.catalog or not self.ensemble:
            raise BadInputError("Name the catalog that was searched, and the ensemble.")
        check_slug(self.injected, what="Catalog")
        self.injection().check()
        if self.min_arc_snr >= self.max_arc_snr:
            raise BadInputError(
                f"min_arc_snr = {self.min_arc_snr:g} is not below max_arc_snr = "
                f"{self.max_arc_snr:g}."
            )
        if self.population:
            path = Path(self.population).expanduser().absolute()
            if not path.is_file():
                raise BadInputError(f"Population {path} does not exist.")
            self.population = str(path)

    @property
    def injected(self) -> str:
        """Name of the catalog of injected lenses."""
        return str(self.injected_catalog or f"{self.catalog}-injected")

    @property
    def n_lenses(self) -> int:
        """Lenses to inject."""
        return int(self.theta_e_cells * self.snr_cells * self.per_cell)

    def grid(self) -> Grid:
        """Cells that lenses are injected into."""
        return Grid.logarithmic(
            (float(self.min_theta_e_arcsec), float(self.max_theta_e_arcsec)),
            (float(self.min_arc_snr), float(self.max_arc_snr)),
            (int(self.theta_e_cells), int(self.snr_cells)),
        )

    def injection(self) -> InjectSettings:
        """Settings of the painting: hosts and sources; no arcs are too faint."""
        return InjectSettings(
            source=self.catalog,
            catalog=self.injected,
            paired=False,
            n_galaxies=self.n_lenses,
            seed=self.seed,
            theta_e_law="flat",
            min_theta_e_arcsec=self.min_theta_e_arcsec,
            max_theta_e_arcsec=self.max_theta_e_arcsec,
            min_arc_snr=0.0,
            min_second_snr=0.0,
            min_magnification=0.0,
            **{name: getattr(self, name) for name in _INJECT},
        )

    def painting(self) -> dict[str, Any]:
        """Settings on which the injected catalog depends, as plain JSON."""
        cells = {
            name: getattr(self, name)
            for name in ("theta_e_cells", "snr_cells", "per_cell", "min_arc_snr", "max_arc_snr")
        }
        return {**self.injection().to_json(), **cells}
