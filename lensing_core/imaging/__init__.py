"""Pictures of cutouts: color pictures in several looks, single-band stretches, encoding.

Everything is drawn in units of the sky noise of the catalog, so that one set of numbers suits
every survey and colors can be compared between the objects of a catalog.
"""

from lensing_core.imaging.detail import color_gains
from lensing_core.imaging.galaxy_light import GalaxyLight, fit_galaxy_light
from lensing_core.imaging.layers import (
    LAYERS,
    Layer,
    NoiseSource,
    above_sky,
    check_layer,
    layer_noise,
    light_residual,
    signal_to_noise,
)
from lensing_core.imaging.looks import FIXED_LOOKS, LOOKS, Look, looks_of
from lensing_core.imaging.noise import SkyNoise, catalog_noise, sky_noise
from lensing_core.imaging.presets import PRESETS
from lensing_core.imaging.rgb import auto_stretch, choose_rgb_bands, lupton_rgb
from lensing_core.imaging.stretch import STRETCH_KINDS, AsinhStretch, StretchKind, stretch_band
from lensing_core.imaging.tile import (
    ImageFormat,
    encode,
    render_band,
    render_rgb,
    rgb_channels,
    suited_stretch,
)

__all__ = [
    "FIXED_LOOKS",
    "LAYERS",
    "LOOKS",
    "PRESETS",
    "STRETCH_KINDS",
    "AsinhStretch",
    "GalaxyLight",
    "ImageFormat",
    "Layer",
    "Look",
    "NoiseSource",
    "SkyNoise",
    "StretchKind",
    "above_sky",
    "auto_stretch",
    "catalog_noise",
    "check_layer",
    "choose_rgb_bands",
    "color_gains",
    "encode",
    "fit_galaxy_light",
    "layer_noise",
    "light_residual",
    "looks_of",
    "lupton_rgb",
    "render_band",
    "render_rgb",
    "rgb_channels",
    "signal_to_noise",
    "sky_noise",
    "stretch_band",
    "suited_stretch",
]
