"""Cluster-scale cutouts of real pixels: real sky, real red galaxies, real sources behind a mass.

What is drawn are places, masses and brightnesses (`simulation.clusters`); what is seen are images:
galaxies of the cluster are luminous red galaxies of DES, resized and dimmed; what is lensed are
galaxies that the Hubble Space Telescope saw; all of it stands on windows of real CFHTLS fields,
with noise added to the depth of DES. Intracluster light and thin galaxies along circles are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from lens_triage.training.real_sky import LRG_SCALE_ARCSEC, dihedral_view, read_field, read_lrgs
from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.ingest.catalog_writer import CatalogSpec, CatalogWriter, NewCandidate
from lensing_core.simulation import galaxies
from lensing_core.simulation.clusters import cluster_contaminant, cluster_lens
from lensing_core.simulation.galaxies import Generator
from lensing_core.simulation.noise import sky_sigma
from lensing_core.simulation.real_sources import real_source
from lensing_core.simulation.rendering import Frame, render
from lensing_core.simulation.scene import Component, Scene
from lensing_core.simulation.source_images import bundled_sources
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

SIZE_PX = 244
BANDS = ("g", "r", "i")
MIN_ARC_SNR = 30.0
FIELD_SCALE_ARCSEC = 0.187
FIELD_FWHM_ARCSEC = 0.8
WIDEST_IMAGE_ARCSEC = 8.0
"""Half-light radius from which light is drawn and not taken from an image."""
MAX_ATTEMPTS = 60
BATCH = 8


@dataclass(frozen=True)
class ClusterMaker:
    """Makes pairs: a cluster with arcs, and the same without or another object without.

    Attributes
    ----------
    frame : Frame
    lrgs : ndarray of shape (n, y, x)
        Images of red galaxies, of sum 1.
    lrg_radius_px : ndarray of shape (n,)
        Their half-light radii.
    fields : list of ndarray (band, y, x)
        Real sky, at the zero points of the frame and on its pixel grid.
    noise : ndarray of shape (band,)
        σ that a field lacks to the survey's depth, by field.
    """

    frame: Frame
    lrgs: Float64Array
    lrg_radius_px: Float64Array
    fields: list[Float64Array]
    noise: list[Float64Array]
    seed: int

    @classmethod
    def open(cls, data: Path, seed: int) -> ClusterMaker:
        """Read the real pixels."""
        survey = get_survey("des")
        bands = tuple(survey.band(name) for name in BANDS)
        scale = survey.pixel_scale_arcsec
        frame = Frame(
            SIZE_PX,
            scale,
            tuple(band.zero_point_mag for band in bands),
            tuple(band.psf_fwhm_arcsec for band in bands),
            oversampling=2,
        )
        lrgs = np.clip(read_lrgs(data, "i")[:, 0].astype(np.float64), 0, None)
        lrgs /= lrgs.sum(axis=(1, 2), keepdims=True)
        radii = np.array([_half_light_px(image) for image in lrgs])
        fields, lacking = [], []
        for name in ("CFHTLS-test_{}.fits", "CFHTLS_27_{}_sci.fits"):
            planes = np.stack(
                [read_field(data / "cfhtls_real_sky" / name.format(band)) for band in BANDS]
            )
            widths = [
                np.sqrt(max(band.psf_fwhm_arcsec**2 - FIELD_FWHM_ARCSEC**2, 0)) / 2.355
                for band in bands
            ]
            own = []
            for plane, width in zip(planes, widths, strict=True):
                smooth = ndimage.gaussian_filter(plane, width / FIELD_SCALE_ARCSEC)
                factor = FIELD_SCALE_ARCSEC / scale
                own.append(ndimage.zoom(smooth, factor, order=1) / factor**2)
            field = np.stack(own)
            noise = 1.4826 * np.median(np.abs(field), axis=(1, 2))
            wanted = np.array([sky_sigma(band, scale) for band in bands])
            fields.append(field)
            lacking.append(np.sqrt(np.maximum(wanted**2 - noise**2, 0)))
        return cls(frame, lrgs, radii, fields, lacking, seed)

    @property
    def size_arcsec(self) -> float:
        """Side of the cutouts."""
        return self.frame.size_px * self.frame.pixel_scale_arcsec

    def pair(self, index: int) -> tuple[Scene, Scene]:
        """A lens, and a non-lens: in turn the same cluster without arcs, or another object."""
        lens = self._lens(index)
        if index % 2 == 0:
            bare = replace(
                lens,
                object_class="cluster",
                components=tuple(part for part in lens.components if not part.lensed),
                deflectors=(),
            )
            return lens, bare
        rng = galaxies.generator(self.seed, index, stream=1)
        other = cluster_contaminant(rng, self._wavelengths, self.size_arcsec)
        return lens, self._as_seen(rng, other)

    def _lens(self, index: int) -> Scene:
        """The first lens of several draws whose arcs can be seen."""
        sources = [bundled_sources("cosmos_f814w"), bundled_sources("hubble_deep_field")]

        def make(
            rng: Generator, wavelengths: Float64Array, z: float, mag: float, x: float, y: float
        ) -> tuple[Component, ...]:
            chosen = sources[int(rng.integers(len(sources)))]
            return real_source(rng, chosen, wavelengths, z, mag, x, y)

        sky = np.array(
            [sky_sigma(get_survey("des").band(b), self.frame.pixel_scale_arcsec) for b in BANDS]
        )
        coarse = replace(self.frame, oversampling=2)
        for attempt in range(MAX_ATTEMPTS):
            rng = galaxies.generator(self.seed, index, attempt)
            scene = cluster_lens(rng, self._wavelengths, self.size_arcsec, source=make)
            arcs = render([replace(scene, components=scene.lensed)], coarse)[0]
            snr = float((np.sqrt((arcs.astype("f8") ** 2).sum(axis=(1, 2))) / sky).max())
            if snr >= MIN_ARC_SNR:
                break
        else:
            raise BadInputError(f"No cluster lens with visible arcs in {MAX_ATTEMPTS} draws.")
        truth = {**scene.truth, "class": "cluster_lens", "arc_snr": snr, "index": index}
        return self._as_seen(rng, replace(scene, truth=truth))

    @property
    def _wavelengths(self) -> Float64Array:
        survey = get_survey("des")
        return np.array([survey.band(name).wavelength_nm for name in BANDS])

    def _as_seen(self, rng: Generator, scene: Scene) -> Scene:
        """Return the scene with images of real galaxies in place of smooth old ones."""
        return replace(scene, components=tuple(self._real(rng, part) for part in scene.components))

    def _real(self, rng: Generator, part: Component) -> Component:
        smooth = part.profile == "sersic" and part.sersic_index > 1.5
        if part.lensed or not smooth or part.half_light_radius > WIDEST_IMAGE_ARCSEC:
            return part
        k = int(rng.integers(len(self.lrgs)))
        image = np.ascontiguousarray(
            dihedral_view(self.lrgs[k], int(rng.integers(8))), dtype=np.float32
        )
        # A resampled image is never finer than its own seeing.
        scale = max(part.half_light_radius / float(self.lrg_radius_px[k]), 0.3 * LRG_SCALE_ARCSEC)
        return replace(part, profile="image", image=image, image_scale_arcsec=scale)

    def observe(self, scenes: list[Scene], first: int) -> Float32Array:
        """Images of scenes on real sky, with photon noise of what was added."""
        images = render(scenes, self.frame).astype(np.float64)
        survey = get_survey("des")
        gain = np.array([survey.band(name).gain_e_per_unit for name in BANDS])[:, None, None]
        for k in range(len(images)):
            rng = np.random.default_rng([self.seed, 7, first + k])
            which = int(rng.integers(len(self.fields)))
            photons = np.sqrt(np.clip(images[k], 0, None) / gain)
            images[k] += rng.standard_normal(images[k].shape) * np.hypot(
                photons, self.noise[which][:, None, None]
            )
            field = self.fields[which]
            y, x = (int(rng.integers(0, n - SIZE_PX + 1)) for n in field.shape[1:])
            images[k] += dihedral_view(
                field[:, y : y + SIZE_PX, x : x + SIZE_PX], int(rng.integers(8))
            )
        return images.astype(np.float32)


def write_clusters(
    workspace: Workspace,
    catalog: str,
    data: Path,
    *,
    pairs: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Make a labeled catalog of cluster-scale lenses and non-lenses; goes on where it stopped."""
    maker = ClusterMaker.open(data, seed)
    frame = maker.frame
    geometry = CutoutGeometry(
        "des", BANDS, SIZE_PX, frame.pixel_scale_arcsec, "flux",
        frame.zero_points_mag, frame.psf_fwhm_arcsec,
    )  # fmt: skip
    spec = CatalogSpec(
        catalog,
        geometry,
        get_survey("des").to_json(),
        scale="cluster",
        origin="simulated",
        label_source=f"sim:{catalog}",
        notes={"real_pixels": "CFHTLS fields, DES red galaxies, HST sources"},
    )
    writer = CatalogWriter(workspace, spec)
    if writer.complete:
        return
    for first in range(writer.rows_read, pairs, BATCH):
        progress(first, pairs)
        stop = min(first + BATCH, pairs)
        scenes = [scene for index in range(first, stop) for scene in maker.pair(index)]
        pixels = maker.observe(scenes, 2 * first)
        rows = [
            NewCandidate(
                f"c{first + k // 2}{'+arc' if scene.is_lens else ''}",
                # Both of a pair at one place, in a group of their own.
                10.0 + 0.01 * (first + k // 2),
                -60.0 + 1.5 * ((first + k // 2) % 60),
                label=int(scene.is_lens),
                label_source=spec.label_source,
                label_confidence=1.0,
                observation={"truth": {"class": scene.object_class, **scene.truth}},
            )
            for k, scene in enumerate(scenes)
        ]
        writer.append(pixels, rows, rows_read=stop)
    writer.finish()


def _half_light_px(image: Float64Array) -> float:
    """Radius around the center that holds half of an image's light."""
    side = image.shape[0]
    axis = np.arange(side) - (side - 1) / 2
    radius = np.hypot(axis[:, None], axis[None, :]).ravel()
    order = np.argsort(radius)
    growth = np.cumsum(image.ravel()[order])
    return float(radius[order][int(np.argmax(growth >= 0.5 * growth[-1]))])
