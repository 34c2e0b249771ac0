"""How fast are lenses rendered, against lenstronomy on the same scenes in the same run?

    python benchmarks/simulation.py --n 64

Both make noiseless images of the same lens, source and lens light in the bands of a survey, with
the same points a pixel and the same PSF. lenstronomy renders one object and band at a time; the
simulator a batch with all bands. Both use one process; torch uses the threads it is given.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from lenstronomy.Data.imaging_data import ImageData
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.image_model import ImageModel
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Util.param_util import phi_q2_ellipticity

from lensing_core.simulation import Frame, Scene, SurveySimulator, render
from lensing_core.simulation.rendering import psfs
from lensing_core.surveys import get_survey


def lens_scenes(simulator: SurveySimulator, n: int) -> list[Scene]:
    """Lens galaxy and source alone: what both codes can draw."""
    scenes = []
    for index in range(n):
        drawn = simulator.scene(index)
        scenes.append(Scene("lens", (drawn.components[0], drawn.lensed[0]), drawn.deflectors))
    return scenes


def with_lenstronomy(scenes: list[Scene], frame: Frame) -> np.ndarray:
    """Images (n, band, y, x), one object and band at a time."""
    half = (frame.size_px - 1) / 2 * frame.pixel_scale_arcsec
    data = ImageData(
        np.zeros((frame.size_px, frame.size_px)),
        ra_at_xy_0=-half,
        dec_at_xy_0=-half,
        transform_pix2angle=np.eye(2) * frame.pixel_scale_arcsec,
        background_rms=1.0,
        exposure_time=1.0,
    )
    kernels = psfs(scenes[:1], frame)[0].double().numpy()
    blurs = [PSF("PIXEL", kernel_point_source=kernel) for kernel in kernels]
    light = LightModel(["SERSIC_ELLIPSE"])
    lens_model = LensModel(["SIE", "SHEAR"])
    numerics = {"supersampling_factor": frame.oversampling, "supersampling_convolution": False}
    models = [
        ImageModel(
            data,
            psf,
            lens_model_class=lens_model,
            source_model_class=light,
            lens_light_model_class=light,
            kwargs_numerics=numerics,
        )
        for psf in blurs
    ]
    out = np.empty((len(scenes), len(blurs), frame.size_px, frame.size_px))
    for k, scene in enumerate(scenes):
        d = scene.deflectors[0]
        e1, e2 = phi_q2_ellipticity(d.angle, d.axis_ratio)
        kwargs_lens = [
            {"theta_E": d.einstein_radius, "e1": e1, "e2": e2, "center_x": d.x, "center_y": d.y},
            {"gamma1": d.shear_1, "gamma2": d.shear_2, "ra_0": d.x, "dec_0": d.y},
        ]
        lights = []
        for part in scene.components:
            e1, e2 = phi_q2_ellipticity(part.angle, part.axis_ratio)
            lights.append(
                {
                    "amp": 1.0,
                    "R_sersic": part.half_light_radius * np.sqrt(part.axis_ratio),
                    "n_sersic": part.sersic_index,
                    "e1": e1,
                    "e2": e2,
                    "center_x": part.x,
                    "center_y": part.y,
                }
            )
        unit = [light.total_flux([kw])[0] for kw in lights]
        for b, model in enumerate(models):
            flux = [
                10 ** (-0.4 * (part.magnitudes[b] - frame.zero_points_mag[b]))
                for part in scene.components
            ]
            lens_light, source = (
                {**kw, "amp": f / u} for kw, f, u in zip(lights, flux, unit, strict=True)
            )
            # lenstronomy gives flux a pixel for brightness an angle squared
            out[k, b] = model.image(kwargs_lens, [source], [lens_light])
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=64, help="objects")
    parser.add_argument("--survey", default="hsc")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    survey = get_survey(arguments.survey)
    size_px = round(12 / survey.pixel_scale_arcsec)
    simulator = SurveySimulator(survey, survey.bands, size_px, 1.0, seed=1)
    frame, scenes = simulator.frame, lens_scenes(simulator, arguments.n)

    render(scenes[:8], frame)
    start = time.perf_counter()
    ours = render(scenes, frame)
    fast = time.perf_counter() - start
    start = time.perf_counter()
    theirs = with_lenstronomy(scenes, frame)
    slow = time.perf_counter() - start

    worst = np.abs(ours - theirs).max(axis=(2, 3)) / theirs.max(axis=(2, 3))
    print(f"images {ours.shape}, {arguments.threads} threads")
    print(
        f"difference in per cent of the peak: median {100 * np.median(worst):.2f}, "
        f"worst {100 * worst.max():.2f}"
    )
    print(
        f"rendering: simulator {arguments.n / fast:.1f}/s, lenstronomy {arguments.n / slow:.1f}/s, "
        f"ratio {slow / fast:.1f}"
    )
    start = time.perf_counter()
    simulator.batch(0, arguments.n)
    whole = time.perf_counter() - start
    print(f"whole simulation (drawn, selected, field galaxies, noise): {arguments.n / whole:.1f}/s")


if __name__ == "__main__":
    main()
