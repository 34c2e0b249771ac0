from .coolest import (
    CoolestModel as CoolestModel,
)
from .coolest import (
    read_coolest as read_coolest,
)
from .files import (
    read_posterior as read_posterior,
)
from .files import (
    write_posterior as write_posterior,
)
from .posterior import (
    LensPosterior as LensPosterior,
)
from .posterior import (
    sample_lens as sample_lens,
)
from .settings import (
    MASSES as MASSES,
)
from .settings import (
    VERSION as VERSION,
)
from .settings import (
    LensModelSettings as LensModelSettings,
)
