from .collapse import (
    LogitWatch as LogitWatch,
)
from .collapse import (
    check_ranking as check_ranking,
)
from .columns import (
    measure_columns as measure_columns,
)
from .distances import (
    ColumnDistance as ColumnDistance,
)
from .distances import (
    column_distance as column_distance,
)
from .distances import (
    mean_discrepancy as mean_discrepancy,
)
from .report import (
    ShiftReport as ShiftReport,
)
from .report import (
    measure_kept_shift as measure_kept_shift,
)
from .report import (
    measure_shift as measure_shift,
)
from .sample import (
    Block as Block,
)
from .sample import (
    ObjectSample as ObjectSample,
)
from .scale import (
    ScaleContract as ScaleContract,
)
from .scale import (
    check_noise as check_noise,
)
from .scale import (
    check_scale as check_scale,
)
