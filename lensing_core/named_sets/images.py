"""Published sets with images: which image is whose, and what its label is.

- GalaxiesML (Do et al. 2024, arXiv:2410.00271): HSC galaxies with spectroscopic redshifts, one
  HDF5 file; no lens labels, so for pretraining only.
- Bologna challenges (Metcalf et al. 2019, A&A 625, A119): simulated, with labels.
- Galaxy Zoo (Willett et al. 2013; Walmsley et al. 2022): vote tables; rings, mergers, spirals and
  edge-on disks are hard negatives, with their class as the reject reason.
- Space Warps (Marshall et al. 2016; More et al. 2016): cutouts with the mean grade of experts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensing_core.arrays import BoolArray, Float64Array
from lensing_core.crossmatch.table_reference import read_reference_table
from lensing_core.errors import BadInputError
from lensing_core.ingest.sky_names import normal
from lensing_core.ingest.tables import SourceTable, read_table
from lensing_core.named_sets.rows import (
    NamedSet,
    SetFiles,
    SetRow,
    find_column,
    need_column,
    numbers,
    other_columns,
)

IMAGES = "image"
_GROUND = {"u": "SDSS_U", "g": "SDSS_G", "r": "SDSS_R", "i": "SDSS_I"}
_SPACE = {"VIS": "EUC_VIS", "Y": "EUC_Y", "J": "EUC_J", "H": "EUC_H"}
_MOST_FOLDERS = 4
VOTE_SHARE, LENS_SHARE = 0.5, 0.2
_VOTES: Mapping[str, tuple[str, ...]] = {
    "ring": ("oddfeaturea19ring", "oddringfraction", "ringfraction", "ringdebiased"),
    "merger": ("oddfeaturea24merger", "mergingmergerfraction", "mergerfraction", "pmg"),
    "spiral": ("spirala08spiral", "hasspiralarmsyesfraction", "spiralfraction", "pcs"),
    "edge_on": ("edgeona04yes", "diskedgeonyesfraction", "edgeonfraction", "pedge"),
}
_LENS_VOTES = ("oddfeaturea20lensorarc", "lensorarc", "lensfraction")
_BEST = ("debiased", "fraction", "")
SURE_LENS, NO_LENS = 2.0, 1.0


def read_galaxies_ml(files: SetFiles) -> list[SetRow]:
    """Rows of a GalaxiesML HDF5 file: every column of one number or text an object."""
    import h5py  # here: other sets need none of it

    path = files.images or files.need_table("GalaxiesML")
    try:
        with h5py.File(path, "r") as stored:
            if IMAGES not in stored:
                raise BadInputError(
                    f"GalaxiesML: {path.name} has no array {IMAGES!r}; it has {', '.join(stored)}."
                )
            n = stored[IMAGES].shape[0]
            flat = {
                name: stored[name][:].reshape(n)
                for name in stored
                if name != IMAGES and stored[name].size == n
            }
    except OSError as error:
        raise BadInputError(f"GalaxiesML: {path.name} cannot be read as HDF5: {error}.") from error
    if "object_id" not in flat:
        raise BadInputError(f"GalaxiesML: {path.name} has no array 'object_id'.")
    text = {name: [_plain(value) for value in values] for name, values in flat.items()}
    role = {"object_id", "ra", "dec"}
    return [
        SetRow(
            str(text["object_id"][k]),
            text["ra"][k] if "ra" in text else None,
            text["dec"][k] if "dec" in text else None,
            properties={
                "stack_index": k,
                **{
                    {"specz_redshift": "z_spec"}.get(name, name): values[k]
                    for name, values in text.items()
                    if name not in role
                },
            },
        )
        for k in range(n)
    ]


def read_bologna_1(files: SetFiles) -> list[SetRow]:
    """Rows of the first challenge: ``classifications.csv`` with ``ID`` and ``is_lens``."""
    title = "Bologna challenge 1"
    table = read_table(files.need_table(title))
    ids = [_whole(cell) for cell in table.cells(need_column(table, title, "ID"), verbatim=True)]
    said = numbers(table, need_column(table, title, "is_lens"))
    return _challenge(title, table, ids, said == 1, files.need_images(title), {**_GROUND, **_SPACE})


def read_bologna_2(files: SetFiles) -> list[SetRow]:
    """Rows of the second challenge: ``image_catalog2.0*.csv``.

    A lens has n_source_im > 0, mag_eff > 1.6 and n_pix_source > 20, as the challenge's evaluation
    has it; all else is none.
    """
    title = "Bologna challenge 2"
    table = read_table(files.need_table(title))
    ids = [_whole(cell) for cell in table.cells(need_column(table, title, "ID"), verbatim=True)]
    images, effective, pixels = (
        numbers(table, need_column(table, title, name))
        for name in ("n_source_im", "mag_eff", "n_pix_source")
    )
    lens = (images > 0) & (effective > 1.6) & (pixels > 20)
    return _challenge(title, table, ids, lens, files.need_images(title), _SPACE)


def _challenge(
    title: str,
    table: SourceTable,
    ids: Sequence[str],
    lens: BoolArray,
    images: Path,
    bands: Mapping[str, str],
) -> list[SetRow]:
    """Rows with the image of each band, ``image<FILTER>-<ID>.fits`` in whatever folder it lies."""
    folders = {band: _folder(images, f"image{key}-") for band, key in bands.items()}
    there = {band: folder for band, folder in folders.items() if folder is not None}
    if not there:
        raise BadInputError(
            f"{title}: no file below {images} is called image<FILTER>-<ID>.fits with a filter of "
            f"{', '.join(bands.values())}; name the folder of the images."
        )
    return [
        SetRow(
            name,
            label=int(lens[k]),
            properties=other_columns(table, k, ()),
            files={
                band: f"{folder}image{bands[band]}-{name}.fits" for band, folder in there.items()
            },
        )
        for k, name in enumerate(ids)
    ]


def _folder(images: Path, begin: str) -> str | None:
    """Folder below ``images`` of files whose names begin so, with a slash; None: there is none."""
    for depth in range(_MOST_FOLDERS):
        pattern = "/".join(["*"] * depth + [f"{begin}*.fits"])
        first = next(iter(images.glob(pattern)), None)
        if first is not None:
            folder = first.parent.relative_to(images).as_posix()
            return "" if folder == "." else f"{folder}/"
    return None


def read_galaxy_zoo(files: SetFiles) -> list[SetRow]:
    """Rows of a vote table: the class that most voters saw is why an object is no lens.

    Half of the votes decide (:data:`VOTE_SHARE`). Where a fifth saw a lens or an arc, nothing is
    said. Debiased fractions go before plain ones.
    """
    title = "Galaxy Zoo"
    path = files.need_table(title)
    table = read_table(path)
    named = need_column(
        table, title, "dr7objid", "objid", "iauname", "id_str", "id", "asset_id", "name"
    )
    ra, dec = _places(path, table, named)
    votes = {reason: _share(table, spelled) for reason, spelled in _VOTES.items()}
    if not any(np.isfinite(share).any() for share in votes.values()):
        raise BadInputError(
            f"{title}: table {table.path.name} has no votes on rings, mergers, spirals or edge-on "
            f"disks; it has {', '.join(table.names[:20])}."
        )
    shares = np.nan_to_num(np.stack(list(votes.values()), axis=1), nan=0.0)
    lens = np.nan_to_num(_share(table, _LENS_VOTES), nan=0.0)
    best = shares.argmax(axis=1)
    rows = []
    for k, cell in enumerate(table.cells(named, verbatim=True)):
        said = shares[k, best[k]] >= VOTE_SHARE and lens[k] < LENS_SHARE
        properties: dict[str, Any] = {
            f"votes_{reason}": round(float(share[k]), 4)
            for reason, share in votes.items()
            if np.isfinite(share[k])
        }
        if said:
            properties["reject_reason"] = list(votes)[best[k]]
        east, north = (float(axis[k]) if np.isfinite(axis[k]) else None for axis in (ra, dec))
        rows.append(SetRow(_whole(cell), east, north, 0 if said else None, properties=properties))
    return rows


def _places(path: Path, table: SourceTable, named: str) -> tuple[Float64Array, Float64Array]:
    """Positions in degrees, whatever their notation; NaN in a table that has none."""
    if find_column(table, "ra", "RAJ2000") is None:
        return np.full(len(table), np.nan), np.full(len(table), np.nan)
    reference, _ = read_reference_table(path, "lens", columns={"id": named})
    return reference.ra_deg, reference.dec_deg


def _share(table: SourceTable, spelled: tuple[str, ...]) -> Float64Array:
    """The votes of a class, of the best column that holds them; NaN where there is none."""
    columns = {normal(name): name for name in table.names}
    for ending in _BEST:
        for mark in spelled:
            for kind, name in columns.items():
                if mark in kind and kind.endswith(ending) and "count" not in kind:
                    shares = numbers(table, name)
                    if not (shares > 1).any():  # a number of voters is no share
                        return shares
    return np.full(len(table), np.nan)


def read_space_warps(files: SetFiles) -> list[SetRow]:
    """Rows of the Space Warps candidates: a mean grade of 2 or more is a lens, below 1 is none."""
    path = files.need_table("Space Warps")
    rows = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    for line, text in enumerate(lines, start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        cells = text.split()
        if len(cells) < 8:
            raise BadInputError(
                f"Space Warps: line {line} of {path.name} has {len(cells)} cells; give name, RA, "
                "Dec, redshift, magnitude, grade, P and Zooniverse id."
            )
        rows.append(_space_warps_row(cells, line, path.name))
    return rows


def _space_warps_row(cells: Sequence[str], line: int, file: str) -> SetRow:
    try:
        ra, dec, z, magnitude, grade, posterior = (float(cell) for cell in cells[1:7])
    except ValueError as error:
        raise BadInputError(f"Space Warps: line {line} of {file}: {error}.") from error
    label = 1 if grade >= SURE_LENS else 0 if grade < NO_LENS else None
    properties: dict[str, Any] = {
        "z_phot": z,
        "magnitude": magnitude,
        "grade": grade,
        "posterior": posterior,
    }
    properties |= {"zoo_id": cells[7], "published": " ".join(cells[8:])}
    name = re.sub(r"\.(png|fits)$", "", cells[0])
    return SetRow(name, ra, dec, label, properties=properties, files={"": cells[0]})


def _whole(cell: Any) -> str:
    """An id as text: 100000.0 is 100000."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


_STACK = {"image_kind": "stack", "dataset": IMAGES, "band_axis": "first"}
_SIMULATED = {"origin": "simulated", "image_kind": "fits_per_band"}
IMAGE_SETS: tuple[NamedSet, ...] = (
    NamedSet(
        key="galaxiesml",
        title="GalaxiesML (HSC)",
        citation="Do et al. 2024, arXiv:2410.00271",
        source="pretrain:galaxiesml",
        policy="pretraining_only",
        read=read_galaxies_ml,
        settings={"survey": "hsc", "bands": ["g", "r", "i", "z", "y"], **_STACK},
    ),
    NamedSet(
        key="bologna1",
        title="Bologna challenge 1",
        citation="Metcalf et al. 2019, A&A 625, A119",
        source="sim:bologna1",
        policy="all",
        read=read_bologna_1,
        settings=_SIMULATED,
        scale="galaxy",
    ),
    NamedSet(
        key="bologna2",
        title="Bologna challenge 2",
        citation="Metcalf et al. 2019, A&A 625, A119",
        source="sim:bologna2",
        policy="all",
        read=read_bologna_2,
        settings=_SIMULATED,
        scale="galaxy",
    ),
    NamedSet(
        key="galaxyzoo",
        title="Galaxy Zoo votes",
        citation="Willett et al. 2013; Walmsley et al. 2022",
        source="obs:galaxyzoo",
        policy="all",
        read=read_galaxy_zoo,
    ),
    NamedSet(
        key="spacewarps",
        title="Space Warps (CFHTLS)",
        citation="Marshall et al. 2016; More et al. 2016",
        source="obs:spacewarps",
        policy="all",
        read=read_space_warps,
        settings={"survey": "cfhtls", "frame_crop_px": 10, "image_kind": "picture"},
    ),
)
