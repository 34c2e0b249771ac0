"""Cutouts for positions alone, from online services; the only images that come over a network.

- ``services``: the table of services: addresses, bands, pixel scales, what their pixels mean, and
  what is asked of each for a position
- ``replies``: whether a reply is the image that was asked for, and its planes
- ``kept``: files and their provenance, in one folder an order
- ``fetcher``: asking, politely, for what is not kept yet
"""
