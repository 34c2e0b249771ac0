"""Uncertainty of ensembles: decomposition, fusion of members, conformal sets."""

import lazy_loader as lazy

# Loaded when a name is first used: stacking brings scikit-learn.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
