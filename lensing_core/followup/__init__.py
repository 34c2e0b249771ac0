"""Follow-up at telescopes: when candidates are up, how bright their arcs are, which come first.

``sites`` and ``instruments`` are tables with sources, ``observability`` computes nights,
``photometry`` measures arcs on cutouts, ``priority`` weighs candidates, ``planning`` puts all of it
together, ``tables`` and ``charts`` write it for telescopes and proposals.
"""
