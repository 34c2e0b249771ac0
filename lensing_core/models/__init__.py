"""Members: networks and trees, their input contracts and their files."""

import lazy_loader as lazy

# Loaded when a name is first used: settings and pages import parts of this package without torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
