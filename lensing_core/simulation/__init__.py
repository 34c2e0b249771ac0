"""Simulated surveys with known truth.

``populations`` draws objects (lenses and contaminants) as a ``scene`` of components; ``rendering``
makes noiseless images of scenes in batches; ``noise`` knows a survey's noise; ``survey`` puts them
together, object by numbered object.
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
