"""The lens test: a galaxy, an SIE with external shear and a Sérsic source, fitted in seconds.

``observation`` prepares a cutout; ``light`` models the galaxy; ``search`` finds lens models from
many starts by the batched least squares of ``fitting`` on the shapes of ``shapes``; ``rivals`` are
models without a lens; ``verdict`` weighs them; ``curves`` has critical curve, caustic and images;
``testing`` puts them together. It says what is worth modeling, and is no lens model to publish.
"""

import lazy_loader as lazy

# Loaded when a name is first used: the fit brings torch.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
