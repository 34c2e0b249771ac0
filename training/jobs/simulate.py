"""The job that makes a simulated catalog."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lens_triage.training.device import torch_device
from lens_triage.training.runner.context import JobContext
from lens_triage.training.settings import SimulateSettings
from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.physics.cosmology import COSMOLOGY
from lensing_core.processes import available_cores, helper_context
from lensing_core.simulation import Frame, Scene, SurveySimulator
from lensing_core.simulation.galaxies import generator
from lensing_core.simulation.pictures import CHANNELS, simulated_picture
from lensing_core.simulation.visibility import pixel_noise
from lensing_core.surveys import get_survey

BATCH = 64
SHARD_ROWS = 512
SHARDS_AHEAD = 3
"""Shards that are asked for while one is written: enough for all processes to have work."""
APERTURE_ARCSEC = 2.0
PHOTO_Z_SCATTER = 0.03
Rows = tuple[Float32Array, list[NewCandidate]]
# Footprint of the made-up positions, and the R2 sequence (Roberts 2018) that fills it evenly.
_RA_DEG, _DEC_DEG = (130.0, 60.0), (-5.0, 25.0)
_R2 = np.array([0.7548776662466927, 0.5698402909980532])


def run(context: JobContext, settings: SimulateSettings) -> dict[str, Any]:
    """Simulate what ``settings`` ask for; goes on where an earlier attempt stopped."""
    survey = get_survey(settings.survey, context.workspace)
    rendered = settings.pixels == "rendered"
    names = survey.rgb_bands if rendered else settings.bands or survey.band_names
    bands = tuple(survey.band(name) for name in names)
    size_px = round(settings.size_arcsec / survey.pixel_scale_arcsec)
    simulator = SurveySimulator(
        survey,
        bands,
        size_px,
        settings.lens_fraction,
        settings.seed,
        scale=settings.scale,
        quasar_fraction=settings.quasar_fraction,
        group_fraction=settings.group_fraction,
        artifact_fraction=settings.artifact_fraction,
        mass=settings.mass,
        min_arc_snr=settings.min_arc_snr,
        min_magnification=settings.min_magnification,
        noise_correlation_px=settings.noise_correlation_px,
        device=torch_device(settings.device),
    )
    frame = simulator.frame
    geometry = CutoutGeometry(
        survey.name,
        CHANNELS if rendered else tuple(names),
        size_px,
        survey.pixel_scale_arcsec,
        "rendered" if rendered else "flux",
        (float("nan"),) * 3 if rendered else frame.zero_points_mag,
        frame.psf_fwhm_arcsec,
    )
    writer = CatalogWriter(
        context.workspace,
        CatalogSpec(
            settings.catalog,
            geometry,
            survey.to_json(),
            scale=settings.scale,
            origin="simulated",
            label_source=f"sim:{settings.catalog}" if settings.labeled else None,
            notes={"simulation": settings.to_json(), "cosmology": COSMOLOGY.name},
        ),
    )
    _check_same(writer, settings)
    done, total = writer.rows_read, settings.n_objects
    if done:
        context.log(f"Going on at object {done:,} of {total:,}.")
    # Whole batches, so that an object is always rendered beside the same neighbors.
    rows = max(1, min(SHARD_ROWS, writer.rows_per_shard) // BATCH) * BATCH
    for stop, batches in _shards(context, _Maker(simulator, settings), done, total, rows):
        shard = []
        for start, batch in batches:
            context.progress(start, total, "Simulating")
            shard.append(batch)
        writer.append(
            np.concatenate([pixels for pixels, _ in shard]),
            [row for _, rows in shard for row in rows],
            rows_read=stop,
        )
    writer.finish()
    context.progress(total, total, "Done")
    return {
        "catalog": settings.catalog,
        "objects": total,
        "size_px": size_px,
        "bands": list(geometry.bands),
    }


@dataclass(frozen=True)
class _Maker:
    """Makes what a catalog holds of a batch of objects; runs in a process of its own."""

    simulator: SurveySimulator
    settings: SimulateSettings

    def __call__(self, start: int, stop: int) -> Rows:
        batch, simulator = self.simulator.batch(start, stop), self.simulator
        names = tuple(band.name for band in simulator.bands)
        numbered = list(enumerate(batch.scenes, start))
        rows = [
            _candidate(self.settings, simulator.frame, names, index, scene, batch.flux[k])
            for k, (index, scene) in enumerate(numbered)
        ]
        if self.settings.pixels == "flux":
            return batch.flux, rows
        pictures = [
            simulated_picture(
                batch.flux[k],
                simulator.bands,
                simulator.survey.pixel_scale_arcsec,
                generator(self.settings.seed, index, stream=3),
            )
            for k, (index, _) in enumerate(numbered)
        ]
        return np.stack(pictures), rows


def _shards(
    context: JobContext, maker: _Maker, done: int, total: int, rows: int
) -> Iterator[tuple[int, Iterator[tuple[int, Rows]]]]:
    """(rows done after it, its batches) for each shard, made by one process a core.

    Processes of one thread each share the cores fairly with whatever else runs, where threads of
    one process would wait for one another at every step; on a GPU they take turns. The next shards
    are made while one is written.
    """
    pool = ProcessPoolExecutor(
        available_cores(),
        mp_context=helper_context([__name__]),
        initializer=_use_one_thread,
    )
    with pool:
        try:
            waiting: deque[tuple[int, Iterator[tuple[int, Rows]]]] = deque()
            for first in range(done, total, rows):
                stop = min(first + rows, total)
                starts = range(first, stop, BATCH)
                stops = [min(start + BATCH, stop) for start in starts]
                made = pool.map(maker, starts, stops)
                waiting.append((stop, zip(starts, made, strict=True)))
                if len(waiting) > SHARDS_AHEAD:
                    yield waiting.popleft()
            yield from waiting
        finally:  # cancelled or failed: do not wait for what was queued
            pool.shutdown(wait=False, cancel_futures=True)


def _use_one_thread() -> None:
    torch.set_num_threads(1)


def _check_same(writer: CatalogWriter, settings: SimulateSettings) -> None:
    """A catalog that exists must come from the same settings, or its rows would be mixed."""
    stored = writer.notes.get("simulation")
    if stored != settings.to_json():
        raise BadInputError(
            f"Catalog {settings.catalog} exists with other settings; choose another name."
        )


def _candidate(
    settings: SimulateSettings,
    frame: Frame,
    bands: tuple[str, ...],
    index: int,
    scene: Scene,
    flux: Float32Array,
) -> NewCandidate:
    position = (0.5 + _R2 * index + 0.1 * settings.seed * _R2[::-1]) % 1
    magnitudes, snr = _aperture_magnitudes(flux, frame)
    reference = "r" if "r" in bands else bands[len(bands) // 2]
    rng = generator(settings.seed, index, stream=2)
    z = scene.truth.get("z_lens", scene.truth.get("z"))
    z_err = None if z is None else PHOTO_Z_SCATTER * (1 + z)
    z_phot = None if z is None or z_err is None else max(0.0, float(rng.normal(z, z_err)))
    return NewCandidate(
        object_id=f"sim-{settings.seed}-{index:07d}",
        ra_deg=float(_RA_DEG[0] + _RA_DEG[1] * position[0]),
        dec_deg=float(_DEC_DEG[0] + _DEC_DEG[1] * position[1]),
        label=int(scene.is_lens) if settings.labeled else None,
        label_source=f"sim:{settings.catalog}" if settings.labeled else None,
        label_confidence=1.0 if settings.labeled else None,
        magnitude=magnitudes[bands.index(reference)],
        observation={
            "magnitudes": dict(zip(bands, magnitudes, strict=True)),
            "snr": snr,
            "psf_fwhm_arcsec": _psf_fwhm(frame, scene, bands.index(reference)),
            "source_pixel_scale_arcsec": frame.pixel_scale_arcsec,
            "band_flags": [1] * len(bands),
            "z_phot": z_phot,
            "z_err": z_err,
            "truth": scene.truth,
        },
    )


def _psf_fwhm(frame: Frame, scene: Scene, band: int) -> float:
    width = scene.seeing.width[band] if scene.seeing else 1.0
    return frame.psf_fwhm_arcsec[band] * width


def _aperture_magnitudes(flux: Float32Array, frame: Frame) -> tuple[list[float | None], float]:
    """Magnitudes within 2″ of the center as measured (None where the flux is not positive),
    and the largest S/N of these fluxes, from the scatter of the outermost pixels."""
    axis = (np.arange(frame.size_px) - (frame.size_px - 1) / 2) * frame.pixel_scale_arcsec
    inside = np.hypot(axis[:, None], axis[None, :]) < APERTURE_ARCSEC
    sums = np.asarray(np.nansum(flux[:, inside], axis=1, dtype=np.float64))
    noise = pixel_noise(flux)
    magnitudes = [
        float(zero_point - 2.5 * np.log10(total)) if total > 0 else None
        for total, zero_point in zip(sums, frame.zero_points_mag, strict=True)
    ]
    return magnitudes, float(np.nanmax(sums / (noise * np.sqrt(inside.sum()))))
