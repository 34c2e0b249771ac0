"""Types of arrays by their number format, so that a signature says it in one word.

Floats of one width are not floats of the other: pixels, features and embeddings are float32, all
statistics float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
#: 64 bits: indices, identifiers, groups, counts.
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
#: 8 bits without a sign: pictures.
ByteArray = NDArray[np.uint8]
