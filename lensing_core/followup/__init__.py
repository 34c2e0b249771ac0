"""Follow-up at telescopes: when candidates are up, how bright their arcs are, which come first.

``sites`` and ``instruments`` are tables with sources, ``observability`` computes nights,
``photometry`` measures arcs on cutouts, ``priority`` weighs candidates, ``planning`` puts all of it
together, ``tables`` and ``charts`` write it for telescopes and proposals.
"""

import lazy_loader as lazy

# Loaded when a name is first used: settings and pages import parts of this package without plots.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
