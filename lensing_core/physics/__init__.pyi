from .cosmology import (
    arcsec_per_kpc as arcsec_per_kpc,
)
from .cosmology import (
    comoving_distance_mpc as comoving_distance_mpc,
)
from .cosmology import (
    distance_modulus as distance_modulus,
)
from .cosmology import (
    distance_ratio as distance_ratio,
)
from .cosmology import (
    sis_einstein_radius_arcsec as sis_einstein_radius_arcsec,
)
from .operators import (
    gradient as gradient,
)
from .operators import (
    laplacian as laplacian,
)
from .operators import (
    magnification as magnification,
)
from .operators import (
    poisson_residual as poisson_residual,
)
