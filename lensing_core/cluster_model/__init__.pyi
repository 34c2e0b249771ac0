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
from .inputs import (
    ClusterInput as ClusterInput,
)
from .inputs import (
    read_cluster as read_cluster,
)
from .light import (
    LightTracesMassModel as LightTracesMassModel,
)
from .mass import (
    Member as Member,
)
from .modeling import (
    VERSION as VERSION,
)
from .modeling import (
    ClusterModels as ClusterModels,
)
from .modeling import (
    model_cluster as model_cluster,
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
from .red_sequence import (
    red_sequence as red_sequence,
)
from .report import (
    write_models as write_models,
)
