"""The selection function of a search: which lenses it finds, by Einstein radius and arc S/N.

From :class:`Injections` (:mod:`.injections`) come maps of one step or a chain of steps
(:mod:`.chain`) with :class:`SelectionFunction` (:mod:`.function`), curves and contours of it
(:mod:`.curves`), lenses found of a population (:mod:`.population`), purity (:mod:`.purity`), what
is still hidden (:mod:`.hidden`), and files (:mod:`.files`).
"""

from lensing_core.selection.chain import SelectionMap, of_chain, of_step
from lensing_core.selection.curves import contour, marginal
from lensing_core.selection.files import load_selection_function, write_ecsv, write_fits
from lensing_core.selection.function import Completeness, SelectionFunction
from lensing_core.selection.hidden import (
    calibrated_tail,
    capture_recapture,
    price_of_next,
)
from lensing_core.selection.injections import Grid, Injections
from lensing_core.selection.population import (
    Population,
    early_type_lenses,
    expected_found,
    read_population,
)
from lensing_core.selection.purity import purity

__all__ = [
    "Completeness",
    "Grid",
    "Injections",
    "Population",
    "SelectionFunction",
    "SelectionMap",
    "calibrated_tail",
    "capture_recapture",
    "contour",
    "early_type_lenses",
    "expected_found",
    "load_selection_function",
    "marginal",
    "of_chain",
    "of_step",
    "price_of_next",
    "purity",
    "read_population",
    "write_ecsv",
    "write_fits",
]
