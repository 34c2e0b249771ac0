"""Import of a table and image files of any common form as a catalog of the workspace.

The way of a row: :mod:`tables` and :mod:`columns` read the table, :mod:`rows` makes candidates of
its rows, an image source (:mod:`fits_sources`, :mod:`mosaics`, :mod:`stacks`, :mod:`pictures`)
finds and calibrates the images, :mod:`decoding` brings them to the catalog's grid, and
:mod:`catalog_writer` stores them. :mod:`planning` chooses all of these by looking at the first rows
and images; :mod:`importing` carries the plan out. :mod:`provenance` says which labels may train.
"""

import lazy_loader as lazy

# Loaded when a name is first used: settings and pages import parts of this package without torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
