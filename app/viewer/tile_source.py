"""The cutouts of a workspace, open for drawing."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

import numpy as np

from lens_triage.app.viewer.tile_request import (
    PixelRequest,
    TileRequest,
)
from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry, CutoutStore, cutout_sha256
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.imaging import (
    Layer,
    NoiseSource,
    SkyNoise,
    above_sky,
    catalog_noise,
    check_layer,
    choose_rgb_bands,
    color_gains,
    encode,
    layer_noise,
    light_residual,
    render_band,
    render_rgb,
    signal_to_noise,
    suited_stretch,
)
from lensing_core.surveys import Survey, get_survey
from lensing_core.workspace import Workspace

_HASHES_KEPT = 20_000
_RESIDUAL_BYTES = 32 * 2**20
_Key = tuple[str, tuple[int, int], int]


class _Residuals:
    """The latest residuals, up to a number of bytes; each is made once, whoever asks for it."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._bytes = 0
        self._made: OrderedDict[_Key, Future[Float32Array]] = OrderedDict()
        self._lock = Lock()

    def get(
        self, key: _Key, cutout: Float32Array, geometry: CutoutGeometry, noise: SkyNoise
    ) -> Float32Array:
        with self._lock:
            found = self._made.get(key)
            mine = found is None
            if found is None:
                found = self._made[key] = Future()
            self._made.move_to_end(key)
        if mine:
            self._make(key, found, cutout, geometry, noise)
        return found.result()

    def _make(
        self,
        key: _Key,
        place: Future[Float32Array],
        cutout: Float32Array,
        geometry: CutoutGeometry,
        noise: SkyNoise,
    ) -> None:
        try:
            made = light_residual(cutout, geometry, noise)
        except BaseException as error:
            with self._lock:
                self._made.pop(key, None)
            place.set_exception(error)
            raise
        with self._lock:
            self._bytes += made.nbytes
            for old in list(self._made):
                if self._bytes <= self._budget or old == key:
                    break
                if self._made[old].done():
                    self._bytes -= self._made.pop(old).result().nbytes
        place.set_result(made)


@dataclass(frozen=True)
class _OpenCatalog:
    store: CutoutStore
    noise: SkyNoise
    rgb_bands: tuple[str, ...] | None
    gains: tuple[float, ...] | None
    fingerprint: tuple[int, int]

    def gains_of(self, layer: Layer) -> tuple[float, ...] | None:
        """Return the color gains of a layer; S/N is no flux."""
        return self.gains if layer in ("image", "residual") else None


class TileSource:
    """Draws the cutouts of a workspace.

    Catalogs stay open (their pixels are read when asked for, not held); one that was removed and
    made anew is opened again.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: dict[str, _OpenCatalog] = {}
        self._hashes: OrderedDict[tuple[str, tuple[int, int], int], str] = OrderedDict()
        self._residuals = _Residuals(_RESIDUAL_BYTES)
        self._lock = Lock()

    def catalog(self, name: str, index: int) -> _OpenCatalog:
        """The catalog, open, with at least ``index`` + 1 cutouts; raises NotFoundError."""
        try:
            folder = self._workspace.catalog_cutouts(name)
            status = (folder / "catalog.json").stat()
        except (BadInputError, OSError):
            raise NotFoundError(f"There is no catalog {name!r} with cutouts.") from None
        fingerprint = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            found = self._open.get(name)
            if found is None or found.fingerprint != fingerprint:
                store = CutoutStore(folder)
                if not len(store):
                    raise NotFoundError(f"Catalog {name!r} has no cutouts yet.")
                survey = self._survey(store.geometry)
                bands = survey.rgb_bands if survey else None  # without: choose by order
                gains = color_gains(store.geometry, survey)
                found = _OpenCatalog(store, catalog_noise(store), bands, gains, fingerprint)
                self._open[name] = found
            elif index >= len(found.store):
                found.store.refresh()
        return found

    def _survey(self, geometry: CutoutGeometry) -> Survey | None:
        try:
            return get_survey(geometry.survey, self._workspace)
        except NotFoundError:
            return None  # a catalog of a survey whose definition was taken away

    def sha256(self, name: str, index: int) -> str:
        """Hash of a cutout's pixels."""
        opened = self.catalog(name, index)
        key = (name, opened.fingerprint, index)
        with self._lock:
            if key in self._hashes:
                self._hashes.move_to_end(key)
                return self._hashes[key]
        digest = cutout_sha256(opened.store.read(index))
        with self._lock:
            self._hashes[key] = digest
            if len(self._hashes) > _HASHES_KEPT:
                self._hashes.popitem(last=False)
        return digest

    def draw(self, name: str, index: int, request: TileRequest) -> bytes:
        """The encoded picture."""
        opened = self.catalog(name, index)
        geometry = opened.store.geometry
        cutout = self._values(name, index, request.layer)
        noise = layer_noise(request.layer, opened.noise)
        if request.band is not None:
            picture = render_band(
                cutout,
                geometry,
                noise,
                request.band,
                kind=request.curve,
                parameters=request.parameters,
            )
        else:
            picture = render_rgb(
                cutout,
                geometry,
                noise,
                bands=request.bands or choose_rgb_bands(geometry.bands, opened.rgb_bands),
                parameters=request.parameters,
                look=request.look,
                gains=opened.gains_of(request.layer),
            )
        return encode(picture, request.format, request.size)

    def values(self, name: str, index: int, request: PixelRequest) -> bytes:
        """Pixels as little-endian float32, (band, y, x): flux, or S/N where that is the layer."""
        return self._values(name, index, request.layer).astype("<f4", copy=False).tobytes()

    def _values(self, name: str, index: int, layer: Layer) -> Float32Array:
        opened = self.catalog(name, index)
        cutout, geometry = opened.store.read(index), opened.store.geometry
        check_layer(layer, geometry)
        if layer == "image":
            return cutout
        if layer == "snr":
            flux = above_sky(cutout, opened.noise)
        else:
            key = (name, opened.fingerprint, index)
            flux = self._residuals.get(key, cutout, geometry, opened.noise)
            if layer == "residual":
                return flux
        variance = opened.store.read_variance(index) if opened.store.has_variance else None
        return signal_to_noise(flux, opened.noise, variance)

    def info(self, name: str, index: int, request: TileRequest) -> dict[str, Any]:
        """Calibration, sky noise, missing fraction by band; what ``auto`` chooses for a picture.

        A zero point, PSF or noise that is not known is null.
        """
        opened = self.catalog(name, index)
        cutout, geometry = opened.store.read(index), opened.store.geometry
        known = np.isfinite(cutout).mean(axis=(1, 2))
        bands = request.bands or choose_rgb_bands(geometry.bands, opened.rgb_bands)

        def by_band(values: Any) -> dict[str, float | None]:
            return {
                band: float(value) if np.isfinite(value) else None
                for band, value in zip(geometry.bands, values, strict=True)
            }

        answer: dict[str, Any] = {
            "known_fraction": dict(zip(geometry.bands, known.round(4).tolist(), strict=True)),
            "rgb_bands": list(bands),
            "psf_fwhm_arcsec": by_band(geometry.psf_fwhm_arcsec),
        }
        if geometry.pixel_kind == "flux":
            answer["zero_point_mag"] = by_band(geometry.zero_points_mag)
            answer["sky_sigma"] = by_band(opened.noise.sigma)
            noise_from: NoiseSource = "variance" if opened.store.has_variance else "sky"
            answer["noise_from"] = noise_from
            values = self._values(name, index, request.layer)
            noise = layer_noise(request.layer, opened.noise)
            answer["auto"] = asdict(
                suited_stretch(
                    values,
                    geometry,
                    noise,
                    bands=bands,
                    look=request.look,
                    gains=opened.gains_of(request.layer),
                )
            )
        return answer

    def size(self, name: str, index: int) -> int:
        """Pixels of one band."""
        return self.catalog(name, index).store.geometry.size_px ** 2

    def answer(self, name: str, index: int, request: TileRequest | PixelRequest) -> str:
        """The ETag of a picture or of pixels, once its version has been checked.

        Raises
        ------
        NotFoundError
            If there is no such cutout, or its pixels are not those of ``request.version``.
        """
        digest = self.sha256(name, index)
        if not digest.startswith(request.version):
            raise NotFoundError(
                f"Cutout {index} of {name!r} has changed since this page was loaded; reload it."
            )
        return f'"{digest[:16]}-{request.key()}"'
