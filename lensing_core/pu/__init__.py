"""Learning from positive and unlabeled objects (PU learning).

Notation, everywhere in this package: y is the true class, s = 1 marks a labeled positive;
c = P(s=1 | y=1) is the label frequency and π = P(y=1) the class prior. They are different
quantities.
"""

from lensing_core.pu.losses import NonNegativePULoss

__all__ = ["NonNegativePULoss"]
