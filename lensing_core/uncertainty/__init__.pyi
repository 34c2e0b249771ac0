from .combination import IsotonicBayes as IsotonicBayes
from .combination import LogisticStack as LogisticStack
from .conformal import ConformalSets as ConformalSets
from .decomposition import (
    Decomposition as Decomposition,
)
from .decomposition import (
    decompose as decompose,
)
from .decomposition import (
    inverse_variance_logit as inverse_variance_logit,
)
from .decomposition import (
    mean_logit as mean_logit,
)
from .interval import ScoreInterval as ScoreInterval
from .interval import score_interval as score_interval
