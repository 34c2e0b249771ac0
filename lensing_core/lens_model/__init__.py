"""Lens models: the posterior of a mass with shear, a Sérsic source and the galaxy's light.

``likelihood`` is that of all bands with the amplitudes of light integrated out; ``sampling`` draws
from the posterior by importance nested sampling, beginning around the fit of a
:mod:`lens test <lensing_core.lens_test>`; ``derived`` has what follows from the parameters
(magnification, mass, images, delays), ``summary`` their percentiles and whether they converged;
``posterior`` puts it together, and ``files`` writes and reads what is kept. ``coolest`` and
``start_files`` hand a model on to other programs.
"""

import lazy_loader as lazy

# Loaded when a name is first used: the likelihood brings torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
