"""Cutouts for positions alone, from online services; the only images that come over a network.

- ``services``: the table of services: addresses, bands, pixel scales, meaning of their pixels, and
  the request for a position
- ``replies``: checks that a reply is the image that was asked for, and its planes
- ``kept``: files and their provenance, in one folder an order
- ``fetcher``: requests, rate limited, for what is not saved yet
"""

import lazy_loader as lazy

# Loaded when a name is first used: clients take time to import.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
