"""Cross-matching: pairs on the sky, references offline and online, completeness of a ranking.

- ``matching``: the pure function, :func:`~lensing_core.crossmatch.matching.crossmatch`
- ``reference``, ``lenscat``, ``table_reference``: what candidates are matched against
- ``service_list``, ``services``, ``clients``, ``answers``: online references, answers kept
- ``completeness``: footprints, and recall of known lenses among the first k of a ranking
- ``records``: rows of the database from matches
- ``choices``: what settings offer
"""

import lazy_loader as lazy

# Loaded when a name is first used: settings and pages import parts of this package without torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
