"""Lensed sources drawn from images of real galaxies.

An image gives the shape, and where it has several channels the contrasts of color within the
galaxy. Magnitude and total color are drawn as those of simulated sources, so that a few hundred
images stand for the whole population behind a survey's lenses.
"""

from __future__ import annotations

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.simulation.galaxies import Generator, faint_galaxy
from lensing_core.simulation.scene import Component
from lensing_core.simulation.source_images import SourceSet

ZOOM_RANGE = (0.4, 1.6)
"""Of an image's size on the sky: no image is blown up until its pixels or its PSF show."""


def real_source(
    rng: Generator,
    sources: SourceSet,
    wavelengths_nm: Float64Array,
    z: float,
    magnitude: float,
    x: float,
    y: float,
) -> tuple[Component, ...]:
    """A lensed galaxy of given magnitude (617 nm) in the likeness of one of ``sources``.

    Its half-light radius follows the angular size of field galaxies against magnitude (see
    :func:`~lensing_core.simulation.galaxies.faint_galaxy`) within :data:`ZOOM_RANGE` of the image's
    own; it is turned and mirrored by chance. One component a channel.
    """
    model = faint_galaxy(rng, wavelengths_nm, z, magnitude, x, y)
    k = int(rng.integers(len(sources)))
    own = float(sources.half_light_radius_arcsec[k])
    zoom = float(np.clip(model.half_light_radius / own, *ZOOM_RANGE))
    images = sources.images[k]
    if rng.random() < 0.5:
        images = images[:, :, ::-1]
    angle = float(rng.uniform(0, 2 * np.pi))
    weights = channel_weights(wavelengths_nm, sources.wavelengths_nm)
    parts = []
    for image, weight in zip(images, weights, strict=True):
        used = weight > 0
        if not used.any():
            continue
        share = np.where(used, weight, 1.0)
        parts.append(
            Component(
                x,
                y,
                1.0,
                angle,
                1.0,
                own * zoom,
                np.where(used, model.magnitudes - 2.5 * np.log10(share), np.inf),
                lensed=True,
                profile="image",
                image=np.ascontiguousarray(image / image.sum()),
                image_scale_arcsec=sources.pixel_scale_arcsec * zoom,
            )
        )
    return tuple(parts)


def channel_weights(bands_nm: Float64Array, channels_nm: tuple[float, ...]) -> Float64Array:
    """Weight of each channel in each band, shape (channel, band); those of a band sum to 1.

    Linear in the logarithm of wavelength between the two neighboring channels; beyond the first and
    the last channel, that one alone.
    """
    order = np.argsort(channels_nm)
    knots = np.log(np.asarray(channels_nm, dtype=np.float64)[order])
    weights = np.empty((len(knots), len(bands_nm)))
    for row, unit in zip(order, np.eye(len(knots)), strict=True):
        weights[row] = np.interp(np.log(bands_nm), knots, unit)
    return weights
