from .evidence import (
    TITLES as TITLES,
)
from .evidence import (
    Evidence as Evidence,
)
from .evidence import (
    Verdict as Verdict,
)
from .result import (
    Estimate as Estimate,
)
from .result import (
    LensTestPictures as LensTestPictures,
)
from .result import (
    LensTestResult as LensTestResult,
)
from .result import (
    pack_pictures as pack_pictures,
)
from .result import (
    unpack_pictures as unpack_pictures,
)
from .settings import (
    LEAST_PX as LEAST_PX,
)
from .settings import (
    VERSION as VERSION,
)
from .settings import (
    LensTestSettings as LensTestSettings,
)
from .testing import (
    run_lens_test as run_lens_test,
)
