"""Models from others, looked at before any library reads them.

Every file is a plain file of the folder, of a bounded size, and of the form that its name promises.
LightGBM ends the process at some files that are not its own: another process loads trees first, and
uses them once, with bounds on its memory and time.
"""

from __future__ import annotations

import json
import math
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from lensing_core.errors import BadInputError
from lensing_core.models.manifest import MANIFEST, check_file_name
from lensing_core.models.manifest_form import check_model_manifest

MOST_BYTES = {".json": 16 << 20, ".txt": 256 << 20, ".safetensors": 4 << 30}
MOST_FILES = 64
CHECK_S = 60
CHECK_BYTES = 4 << 30
_HEADER_BYTES = 100 << 20
_DTYPE_BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2,
    "U16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
_CHECK = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2); "
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); import lightgbm, numpy; "
    "trees = lightgbm.Booster(model_str=sys.stdin.buffer.read().decode()); "
    "rows = numpy.random.default_rng(0).standard_cauchy((64, trees.num_feature())); "
    "rows[::4] = numpy.nan; rows[1::4] = 0; "
    "trees.predict(rows, raw_score=True, num_threads=1); trees.feature_importance('gain')"
)


def check_folder(folder: Path) -> list[str]:
    """Names of the files of a model's folder, all plain and of a bounded size.

    Raises
    ------
    BadInputError
        If the folder is a link or holds a link, a folder, a device, or anything too large.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise BadInputError(f"{folder} is no folder of its own; copy the model's files there.")
    names = sorted(entry.name for entry in os.scandir(folder))
    if len(names) > MOST_FILES:
        raise BadInputError(f"{folder} holds {len(names)} files; a model has few.")
    for name in names:
        check_plain_file(folder / name)
    return names


def check_plain_file(path: Path, most: int | None = None) -> None:
    """Raise BadInputError unless ``path`` is a plain file, not a link, of a bounded size.

    Parameters
    ----------
    most : int, optional
        Bytes that are read; else by the kind of a model's file.
    """
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise BadInputError(f"{path} is no plain file (a link, a folder or a device); remove it.")
    most = MOST_BYTES.get(path.suffix) if most is None else most
    if most is None:
        raise BadInputError(
            f"{path} is no file of a model; those end in {', '.join(MOST_BYTES)}. Remove it."
        )
    if status.st_size > most:
        raise BadInputError(f"{path} has {status.st_size:,} bytes; up to {most:,} are read.")


def check_safetensors(path: Path) -> None:
    """Raise BadInputError unless the header of a safetensors file describes exactly its bytes."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if not 2 <= length <= min(size - 8, _HEADER_BYTES):
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        tensors = {k: v for k, v in header.items() if k != "__metadata__"}
        end = 0
        for tensor in sorted(tensors.values(), key=lambda t: t["data_offsets"]):
            first, last = tensor["data_offsets"]
            shape = [int(n) for n in tensor["shape"]]
            if first != end or min(shape, default=0) < 0:
                raise ValueError("tensors that overlap or leave gaps")
            if last - first != math.prod(shape) * _DTYPE_BYTES[tensor["dtype"]]:
                raise ValueError("a tensor whose shape is not that of its bytes")
            end = last
        if end != size - 8 - length:
            raise ValueError(f"{size - 8 - length} bytes of tensors, not {end}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise BadInputError(f"{path} holds no tensors that can be read: {error}.") from error


def try_trees(path: Path, text: bytes, *, limit_s: float = CHECK_S) -> None:
    """Load and use LightGBM text in a process of its own, which it may end.

    Parameters
    ----------
    path : Path
        Where it comes from, for the message.

    Raises
    ------
    BadInputError
        If it ends that process, takes too long or too much memory, or is refused.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own program, arguments as a list, no shell
            [sys.executable, "-c", _CHECK, str(CHECK_BYTES)],
            input=text,
            capture_output=True,
            timeout=limit_s,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadInputError(f"{path}: its trees took over {limit_s:g} s to read.") from None
    if done.returncode:
        raise BadInputError(
            f"{path}: LightGBM cannot read its trees; take the file from its source again."
        )


def check_model(folder: Path, manifest: Any) -> None:
    """Look at all files of a model from others, whose manifest is given.

    Raises
    ------
    BadInputError
        Saying which file is wrong, and why.
    """
    from lensing_core.models.trees import check_trees  # loads LightGBM

    names = set(check_folder(folder))
    files = check_model_manifest(manifest, folder / MANIFEST)["files"]
    named = {check_file_name(name) for name in files} | {MANIFEST}
    if unnamed := sorted(names - named):
        raise BadInputError(f"{folder / unnamed[0]} is not named in the manifest; remove it.")
    for name in sorted(named & names):
        if name.endswith(".safetensors"):
            check_safetensors(folder / name)
        elif name.endswith(".txt"):
            check_trees(folder / name)
