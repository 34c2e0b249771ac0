"""Simulated surveys with known truth.

``lenses``, ``contaminants`` and ``clusters`` draw objects as a ``scene`` of components, made of
``galaxies`` with the spectra of ``templates``; ``rendering`` makes noiseless images of scenes in
batches; ``noise`` knows a survey's noise and ``artifacts`` the faults of its images; ``survey``
puts them together, object by numbered object. ``injection`` paints arcs into real cutouts.
"""

from lensing_core.simulation.rendering import Frame, render
from lensing_core.simulation.scene import Component, Deflector, Scene
from lensing_core.simulation.survey import SimulatedBatch, SurveySimulator

__all__ = [
    "Component",
    "Deflector",
    "Frame",
    "Scene",
    "SimulatedBatch",
    "SurveySimulator",
    "render",
]
