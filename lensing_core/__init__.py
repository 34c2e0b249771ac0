"""The engine of lens-triage: data, images, simulation, models, statistics and storage.

Usable from a notebook; needs no GPU, network or display, and imports neither panel nor bokeh.
"""

from importlib.metadata import version as _version

__version__ = _version("lens-triage")
