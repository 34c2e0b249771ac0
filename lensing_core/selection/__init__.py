"""The selection function of a search: which lenses it finds, by Einstein radius and arc S/N.

From :class:`Injections` (:mod:`.injections`) come maps of one step or a chain of steps
(:mod:`.chain`) with :class:`SelectionFunction` (:mod:`.function`), curves and contours of it
(:mod:`.curves`), lenses found of a population (:mod:`.population`), purity (:mod:`.purity`), what
is still hidden (:mod:`.hidden`), and files (:mod:`.files`).
"""

import lazy_loader as lazy

# Loaded when a name is first used: statistics and cosmology take seconds to import.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
