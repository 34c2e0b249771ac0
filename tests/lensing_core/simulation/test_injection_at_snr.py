"""Lenses painted at a wanted S/N."""

from __future__ import annotations

import numpy as np
from drawn_catalogs import TWO_BANDS, blobs_and_rings

from lensing_core.simulation.injection import ArcLimits, Injector, LensLaw
from lensing_core.simulation.rendering import Frame
from lensing_core.simulation.visibility import gains, noise_map, pixel_noise
from lensing_core.surveys import get_survey


def test_arcs_have_the_wanted_snr_and_radius_in_the_pixels():
    flux, _ = blobs_and_rings(12, 3)
    bands = tuple(get_survey("hsc").band(name) for name in TWO_BANDS.bands)
    frame = Frame(
        TWO_BANDS.size_px, TWO_BANDS.pixel_scale_arcsec, TWO_BANDS.zero_points_mag,
        TWO_BANDS.psf_fwhm_arcsec,
    )  # fmt: skip
    law = LensLaw("flat", (0.6, 0.9), limits=ArcLimits(0.0, 0.0, 0.0), arc_snr_range=(30.0, 60.0))
    painted = Injector(frame, bands, 1, law).paint_many(range(12), flux)
    assert all(one is not None for one in painted)
    truths = [one.truth for one in painted]
    snr = np.array([truth["arc_snr"] for truth in truths])
    assert ((snr >= 30) & (snr <= 60)).all()
    assert np.ptp(snr) > 5
    assert all(0.6 <= truth["theta_e_arcsec"] <= 0.9 for truth in truths)
    gain = gains(bands, frame.zero_points_mag)
    for k, one in enumerate(painted):
        arcs = one.flux - flux[k]  # with their own photons' noise, small at this S/N
        sigma = pixel_noise(flux[k])
        light = (
            flux[k]
            - np.median(
                np.concatenate(
                    [flux[k][:, 0], flux[k][:, -1], flux[k][:, :, 0], flux[k][:, :, -1]], 1
                ),
                axis=1,
            )[:, None, None]
        )
        noise = noise_map(light, sigma, gain)
        measured = np.sqrt(((arcs / noise) ** 2).sum(axis=(1, 2))).max()
        assert abs(measured / snr[k] - 1) < 0.15
    # The same lens at another S/N differs in light alone.
    dim = LensLaw("flat", (0.6, 0.9), limits=law.limits, arc_snr_range=(10.0, 10.0))
    faint = Injector(frame, bands, 1, dim).paint_many(range(12), flux)
    for bright, other in zip(painted, faint, strict=True):
        assert other.truth["theta_e_arcsec"] == bright.truth["theta_e_arcsec"]
        fainter = other.truth["source_mag"] - bright.truth["source_mag"]
        assert np.isclose(fainter, 2.5 * np.log10(bright.truth["arc_snr"] / 10.0), atol=1e-3)
