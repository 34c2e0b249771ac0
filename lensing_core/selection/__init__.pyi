from .chain import (
    SelectionMap as SelectionMap,
)
from .chain import (
    of_chain as of_chain,
)
from .chain import (
    of_step as of_step,
)
from .curves import (
    contour as contour,
)
from .curves import (
    marginal as marginal,
)
from .files import (
    load_selection_function as load_selection_function,
)
from .files import (
    write_ecsv as write_ecsv,
)
from .files import (
    write_fits as write_fits,
)
from .function import (
    Completeness as Completeness,
)
from .function import (
    SelectionFunction as SelectionFunction,
)
from .hidden import (
    calibrated_tail as calibrated_tail,
)
from .hidden import (
    capture_recapture as capture_recapture,
)
from .hidden import (
    price_of_next as price_of_next,
)
from .injections import (
    Grid as Grid,
)
from .injections import (
    Injections as Injections,
)
from .population import (
    Population as Population,
)
from .population import (
    early_type_lenses as early_type_lenses,
)
from .population import (
    expected_found as expected_found,
)
from .population import (
    read_population as read_population,
)
from .purity import (
    purity as purity,
)
