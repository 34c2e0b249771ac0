"""Shift of a catalog from the training set of an ensemble, measured before scores are believed.

`columns.py` measures cutouts; `sample.py` keeps a bounded sample of a training set with its
ensemble; `scale.py` is the scale contract, which may refuse a catalog; `distances.py` compares
columns; `report.py` joins all of it with the domain AUROC. `collapse.py` tells scores that say
nothing.

The command line needs `sample.py` at its start: each name is imported when it is first used.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
