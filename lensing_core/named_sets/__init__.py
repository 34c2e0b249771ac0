"""Published data sets: how their tables are read, and what their labels may be used for.

- :mod:`~lensing_core.named_sets.rows`: one object of a set, and a table of them;
- :mod:`~lensing_core.named_sets.lens_lists`: lists of known lenses, by position;
- :mod:`~lensing_core.named_sets.images`: sets with images: GalaxiesML, both challenges of Bologna,
  Galaxy Zoo, Space Warps;
- :mod:`~lensing_core.named_sets.attaching`: a list of known lenses put onto a catalog.
"""

import lazy_loader as lazy

# Loaded when a name is first used: settings read the keys of sets and nothing else.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
