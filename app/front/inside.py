"""The page process' side of the front: it runs at lower priority, and ends when the front ends."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path

_NICER = 5


def give_way() -> None:
    """Lower the priority of this process and of all that it starts."""
    if sys.platform != "win32":
        os.nice(_NICER)


def end_with_the_front(socket: Path) -> None:
    """End this process when the one that started it is gone, whatever this one is doing.

    A process that was killed removes nothing, so the socket and its folder are removed for it.
    """
    front = multiprocessing.parent_process()
    if front is None:
        return

    def watch() -> None:
        wait([front.sentinel])
        socket.unlink(missing_ok=True)
        with suppress(OSError):  # where the front has done it
            socket.parent.rmdir()
        os._exit(1)

    threading.Thread(target=watch, name="front", daemon=True).start()
