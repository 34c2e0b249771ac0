"""Files of every format that an import reads, and seeded damage to them."""

from __future__ import annotations

import io
import resource
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits
from astropy.table import Table
from PIL import Image

from lensing_core.ingest.tables import read_table

SIDE = 16
_RNG = np.random.default_rng(1)
_PIXELS = _RNG.normal(100, 10, (SIDE, SIDE)).astype("f4")
_CARDS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0}
_SCALE = {"CD1_1": -4.67e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 4.67e-5, "MAGZERO": 27.0}


def _fits(hdu: fits.ImageHDU | fits.CompImageHDU) -> bytes:
    hdu.header.update({**_CARDS, **_SCALE})
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(stream)
    return stream.getvalue()


def write_images(folder: Path) -> list[Path]:
    """A good image of every format."""
    names = {
        "plain.fits": _fits(fits.ImageHDU(_PIXELS, name="G")),
        "rice.fits": _fits(fits.CompImageHDU(_PIXELS.astype("i2"), name="G")),
        "gzip.fits": _fits(fits.CompImageHDU(_PIXELS, name="G", compression_type="GZIP_2")),
    }
    for name, content in names.items():
        (folder / name).write_bytes(content)
    with fits.open(folder / "plain.fits") as hdus:
        hdus.writeto(folder / "whole.fits.gz")
    np.save(folder / "a.npy", _PIXELS)
    np.savez_compressed(folder / "a.npz", images=_PIXELS)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("images", data=_PIXELS, compression="gzip", chunks=(8, 8))
    colors = _RNG.integers(1, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    for suffix in ("png", "jpg", "tif", "webp"):
        Image.fromarray(colors).save(folder / f"a.{suffix}")
    return sorted(folder.iterdir())


def write_tables(folder: Path) -> list[Path]:
    """A good table of every format."""
    table = Table({"id": [f"o{k}" for k in range(40)], "ra": np.linspace(1, 2, 40)})
    for suffix, name in (
        *(("csv", "ascii.csv"), ("ecsv", "ascii.ecsv"), ("fits", "fits")),
        *(("vot", "votable"), ("parquet", "parquet"), ("txt", "ascii.basic")),
    ):
        table.write(folder / f"t.{suffix}", format=name)
    return sorted(folder.iterdir())


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Content with bytes changed, a card's value replaced, a part doubled, or its end cut off."""
    data = bytearray(content)
    kind = rng.integers(5)
    if kind == 0:
        for at in rng.integers(0, len(data), rng.integers(1, 20)):
            data[at] = rng.integers(256)
    elif kind == 1:
        del data[rng.integers(len(data)) :]
    elif kind == 2:  # in the first part, where headers are
        for at in rng.integers(0, min(len(data), 4000), 3):
            data[at] = rng.choice(np.frombuffer(b"0189-.E' =T\x00\xff", np.uint8))
    elif kind == 3:
        at, size = rng.integers(len(data)), rng.integers(1, 400)
        data[at:at] = data[at : at + size]
    else:
        card = 80 * int(rng.integers(max(1, min(len(data), 8000) // 80)))
        value = rng.choice(["-1000", "1E308", "0", "99999999", "T", "'x'", "NaN"])
        data[card + 10 : card + 30] = f"{value:>20}".encode()
    return bytes(data)


def rows_of_table(path: str) -> int:
    return len(read_table(Path(path)))


def peak_mib() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
