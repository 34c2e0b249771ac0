"""Functions and a source of images that end, stall or fill the helper process they run in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensing_core.errors import BadInputError
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.supervised import mark, mark_file


def add(a: int, b: int) -> int:
    return a + b


def die(how: int) -> None:
    mark("7")
    mark_file("/data/bad.fits")
    os.kill(os.getpid(), how)
    time.sleep(60)


def stall() -> None:
    mark("3")
    time.sleep(60)


def refuse() -> None:
    raise BadInputError("no such thing.")


def fail() -> float:
    return 1 / 0


def fill(n_bytes: int) -> int:
    return int(np.ones(n_bytes, np.uint8)[-1])


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5)


def start_program() -> None:
    subprocess.run(["true"], check=True)


@dataclass(frozen=True)
class Treacherous:
    """A source that does to its process what the id of a row says."""

    bands: tuple[str, ...] = ("g",)

    def load(self, row: RowRequest) -> Sequence[BandImage]:
        if row.object_id == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if row.object_id == "stall":
            time.sleep(60)
        if row.object_id == "memory":
            np.ones(2**32, np.uint8)
        if row.object_id == "raise":
            raise AssertionError("of a library")
        return [BandImage(np.full((9, 9), row.row_number + 1, "f4"), 0.168, 27.0, "file")]


def fault(*_: object) -> float:
    """What a fault of the program looks like."""
    return 1 / 0
