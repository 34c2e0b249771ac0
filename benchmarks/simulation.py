"""How fast are lenses rendered, against lenstronomy on the same scenes in the same run?

    python benchmarks/simulation.py --n 64
    python benchmarks/simulation.py --n 512 --device cuda --whole 4096

Both make noiseless images of the same lens, source and lens light in the bands of a survey, with
the same points a pixel and the same PSF. lenstronomy renders one object and band at a time, on the
CPU; the simulator a batch with all bands, on the CPU and, where asked for, on a GPU. Both use one
process; torch uses the threads it is given. ``--whole`` objects are then drawn, selected, rendered
and observed by one process a core, with rendering on either device.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

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
    lens_model = LensModel(["EPL", "SHEAR"])
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
            {
                "theta_E": d.einstein_radius,
                "gamma": d.slope,
                "e1": e1,
                "e2": e2,
                "center_x": d.x,
                "center_y": d.y,
            },
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


def one_thread() -> None:
    """Set up a process that has a core to itself."""
    torch.set_num_threads(1)


def whole_rate(simulator: SurveySimulator, n: int, processes: int, batch: int = 64) -> float:
    """Objects a second, all processes together, once they have started."""
    with ProcessPoolExecutor(processes, get_context("spawn"), one_thread) as pool:
        firsts = range(4 * processes)
        list(pool.map(simulator.batch, firsts, range(1, 4 * processes + 1)))  # all have started
        start = time.perf_counter()
        firsts = range(0, n, batch)
        for _ in pool.map(simulator.batch, firsts, [first + batch for first in firsts]):
            pass
        return len(firsts) * batch / (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=64, help="objects")
    parser.add_argument("--survey", default="hsc")
    parser.add_argument("--device", default="cpu", help="cuda: measure a GPU too")
    parser.add_argument("--whole", type=int, default=0, help="objects of a whole simulation")
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
    if arguments.device != "cpu":
        render(scenes, frame, device=arguments.device)
        start = time.perf_counter()
        on_gpu = render(scenes, frame, device=arguments.device)
        gpu = time.perf_counter() - start
        apart = (np.abs(on_gpu - ours).max(axis=(2, 3)) / ours.max(axis=(2, 3))).max()
        print(
            f"{torch.cuda.get_device_name()}: {arguments.n / gpu:.0f}/s, {fast / gpu:.1f} times "
            f"the CPU's rate, {slow / gpu:.0f} times lenstronomy's; worst difference from the "
            f"CPU's images {100 * apart:.3f} % of the peak"
        )
    start = time.perf_counter()
    simulator.batch(0, 64)
    whole = time.perf_counter() - start
    print(f"whole simulation (drawn, selected, field galaxies, noise): {64 / whole:.1f}/s")
    if arguments.whole:
        processes = len(os.sched_getaffinity(0))
        half = replace(simulator, lens_fraction=0.5)
        for device in dict.fromkeys(("cpu", arguments.device)):
            rate = whole_rate(replace(half, device=device), arguments.whole, processes)
            print(f"{processes} processes, half lenses, rendered on {device}: {rate:.0f} objects/s")


if __name__ == "__main__":
    main()
