from .families import (
    Family as Family,
)
from .families import (
    Image as Image,
)
from .fitting import (
    Fit as Fit,
)
from .fitting import (
    fit as fit,
)
from .light import (
    LightTracesMassModel as LightTracesMassModel,
)
from .mass import (
    Member as Member,
)
from .parametric import (
    Halo as Halo,
)
from .parametric import (
    ParametricModel as ParametricModel,
)
from .planes import (
    LensPlane as LensPlane,
)
