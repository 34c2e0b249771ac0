"""Mass models of clusters from the places of multiple images.

``profiles`` has the deflections; ``parametric`` and ``light`` are two models of the mass, ``mass``
what they have in common; ``families`` are the constraints, ``fitting`` fits, ``prediction`` says
where images are, ``maps`` and ``curves`` what follows.
"""

import lazy_loader as lazy

# Loaded when a name is first used: deflections bring torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
