"""Data sets: what a candidate's label is, what it may be used for, and how objects are divided.

One home for rules that training, retraining, fine-tuning, their checks, gold standards and
look-alikes share:

- :mod:`~lensing_core.datasets.uses`: the table of uses, and the rule for one imported label;
- :mod:`~lensing_core.datasets.grades`: the rule for one candidate's grades;
- :mod:`~lensing_core.datasets.labels`: labels of catalogs by both, as a
  :class:`~lensing_core.datasets.table.CandidateLabels`;
- :mod:`~lensing_core.datasets.groups`: objects that stay on one side of every split;
- :mod:`~lensing_core.datasets.splits`: splits and folds of whole groups.
"""

import lazy_loader as lazy

# Loaded when a name is first used: labels are read through the store.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
