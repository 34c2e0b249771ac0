"""Lensing and cosmology: closed forms and operators."""

import lazy_loader as lazy

# Loaded when a name is first used: the operators bring torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
