"""Writing shards, each whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.cutouts.geometry import HEADER, CutoutGeometry
from lensing_core.disk import replacing
from lensing_core.errors import BadInputError

SHARD_BYTES = 64 * 2**20


def cutout_sha256(cutout: Float32Array) -> str:
    """Hex digest of one cutout's little-endian float32 pixels."""
    return hashlib.sha256(np.ascontiguousarray(cutout, dtype="<f4").data).hexdigest()


def _write_durably(path: Path, data: bytes) -> None:
    """Write beside, sync, then rename: a reader sees the old file or the whole new one."""
    with replacing(path) as beside, beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _save_array(path: Path, array: Float32Array) -> str:
    """Save as ``.npy`` durably; return the file's sha256."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    digest = hashlib.sha256()
    with replacing(path) as beside, beside.open("wb") as stream:
        for part in (header.getvalue(), np.ascontiguousarray(array).data):
            stream.write(part)
            digest.update(part)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


class CutoutWriter:
    """Writes the shards of one catalog.

    Parameters
    ----------
    folder : Path
        Made if missing. An existing header must agree with ``geometry``.
    geometry : CutoutGeometry
    """

    def __init__(self, folder: Path, geometry: CutoutGeometry) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / HEADER).exists():
            if CutoutGeometry.read(folder).to_json() != geometry.to_json():
                raise BadInputError(
                    f"{folder} holds cutouts of another geometry; choose another catalog name."
                )
        else:
            _write_durably(folder / HEADER, json.dumps(geometry.to_json(), indent=1).encode())
        self.folder = folder
        self.geometry = geometry

    @property
    def rows_per_shard(self) -> int:
        """Cutouts that make a shard of about 64 MiB."""
        bands, height, width = self.geometry.shape
        return max(1, min(4096, SHARD_BYTES // (4 * bands * height * width)))

    def write_shard(
        self,
        number: int,
        flux: Float32Array,
        *,
        variance: Float32Array | None = None,
        psf: Float32Array | None = None,
    ) -> None:
        """Write shard ``number``, replacing what an interrupted run may have left there.

        Parameters
        ----------
        flux, variance : ndarray of shape (n, band, y, x), float32
        psf : ndarray of shape (n, band, py, px), float32
        """
        if flux.ndim != 4 or flux.shape[1:] != self.geometry.shape or not len(flux):
            raise BadInputError(
                f"Shard {number}: cutouts of shape {flux.shape}; expected (n, "
                f"{', '.join(map(str, self.geometry.shape))}) with n > 0."
            )
        arrays = {"": flux, ".variance": variance, ".psf": psf}
        files = {}
        for suffix, array in arrays.items():
            name = f"shard-{number:05d}{suffix}.npy"
            if array is None:
                (self.folder / name).unlink(missing_ok=True)
            else:
                if len(array) != len(flux):
                    raise BadInputError(
                        f"Shard {number}: {name} has {len(array)} rows, the cutouts {len(flux)}."
                    )
                files[name] = _save_array(self.folder / name, array.astype("<f4", copy=False))
        sidecar = {"rows": len(flux), "sha256": files}
        _write_durably(self.folder / f"shard-{number:05d}.json", json.dumps(sidecar).encode())

    def drop_from(self, number: int) -> None:
        """Remove shards ``number`` and later: what a killed run wrote but never recorded."""
        for path in sorted(self.folder.glob("shard-*")):
            if int(path.name[6:11]) >= number:
                path.unlink()
