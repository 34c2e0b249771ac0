"""Helper processes whose death or delay costs only what they were doing.

The libraries that read files of others are large and written in C: a damaged file can end the
process or keep it busy for hours. Such work runs in a helper process that says where it is (see
:func:`mark`), so that the caller knows what to leave out when the process is lost. Helpers have a
limit of memory and no network.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any, Literal, Self

from lensing_core.errors import LensTriageError, with_traceback
from lensing_core.processes import helper_context

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]  # its absence is looked at below

_MARK_BYTES = 4096
_POLL_S = 0.25
_START_S = 120.0  # until a helper has begun: imports on a busy machine
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")

Seconds = Callable[[str], float | None]


class HelperLost(LensTriageError):
    """A helper process died or was ended because it took too long.

    Attributes
    ----------
    why : {'died', 'time'}
    item, file : str
        What it was doing, as it said by :func:`mark` and :func:`mark_file`; empty: nothing yet.
    """

    def __init__(self, why: Literal["died", "time"], item: str, file: str, detail: str) -> None:
        super().__init__(why, item, file, detail)
        self.why, self.item, self.file, self.detail = why, item, file, detail

    def __str__(self) -> str:
        return (
            f"A helper process was lost at {self.file or self.item or 'its start'}: {self.detail}"
        )


class HelperError(LensTriageError):
    """An error of another kind than :class:`LensTriageError` in a helper process."""


_place: Any = None  # shared memory of this process, if it is a helper
_item = ""


def mark(item: str) -> None:
    """Say what this process is at; nothing outside of helper processes."""
    global _item
    if _place is not None:
        _item = item
        _place.value = _text(item, "")


def mark_file(path: str) -> None:
    """Say which file this process reads for the item that it is at."""
    if _place is not None:
        _place.value = _text(_item, path)


def _text(item: str, file: str) -> bytes:
    return f"{item}\n{file}".encode("utf-8", "surrogateescape")[: _MARK_BYTES - 1]


class Helpers:
    """Up to ``count`` helper processes, started when they are needed.

    Parameters
    ----------
    count : int
    preload : sequence of str
        Modules that the work needs.
    memory_bytes : int
        Most memory that a helper may ask for; more raises MemoryError there.
    """

    def __init__(self, count: int, preload: list[str], memory_bytes: int) -> None:
        self._context = helper_context(preload)
        self._memory_bytes = memory_bytes
        self._threads = ThreadPoolExecutor(count, "supervisor")
        self._idle: list[_Helper] = []
        self._all: set[_Helper] = set()
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(
        self, function: Callable[..., Any], *arguments: Any, seconds: Seconds | None = None
    ) -> Future[Any]:
        """:meth:`call` in a thread; not more at a time than there are helpers."""
        return self._threads.submit(self.call, function, *arguments, seconds=seconds)

    def supervise(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run ``task``, which uses :meth:`call`, in one of the supervising threads."""
        return self._threads.submit(task, *arguments)

    def call(
        self, function: Callable[..., Any], *arguments: Any, seconds: Seconds | None = None
    ) -> Any:
        """The result of a function in a helper process.

        Parameters
        ----------
        seconds : callable, optional
            How long the item (see :func:`mark`) may take; None: any time.

        Raises
        ------
        HelperLost
        LensTriageError
            As the function raised it; other errors as HelperError.
        """
        helper = self._take()
        try:
            ok, value = helper.call(function, arguments, seconds or (lambda _: None))
        except BaseException:
            self._drop(helper)
            raise
        with self._lock:
            self._idle.append(helper)
        if not ok:
            raise value
        return value

    def close(self) -> None:
        """End all helpers, whatever they are doing."""
        with self._lock:
            self._closed = True
            helpers = list(self._all)
        for helper in helpers:
            helper.end()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _take(self) -> _Helper:
        with self._lock:
            if self._closed:
                raise HelperLost("died", "", "", "the helper processes were ended")
            if self._idle:
                return self._idle.pop()
            helper = _Helper(self._context, self._memory_bytes)
            self._all.add(helper)
            return helper

    def _drop(self, helper: _Helper) -> None:
        helper.end()
        with self._lock:
            self._all.discard(helper)


class _Helper:
    """One process, with the pipe to it."""

    def __init__(self, context: Any, memory_bytes: int) -> None:
        self._place = context.RawArray("c", _MARK_BYTES)
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, self._place, memory_bytes)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: Seconds
    ) -> tuple[bool, Any]:
        self._place.value = b""
        try:
            self._pipe.send((function, arguments))
            self._wait(seconds)
            answer: tuple[bool, Any] = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(5)
            code = self._process.exitcode
            detail = f"signal {-code}" if code and code < 0 else f"exit code {code}"
            raise HelperLost("died", *self._at(), detail) from error
        return answer

    def _wait(self, seconds: Seconds) -> None:
        """Until there is an answer, or the end of the pipe."""
        at, since = self._place.value, monotonic()
        while not self._pipe.poll(_POLL_S):
            if self._place.value != at:
                at, since = self._place.value, monotonic()
                continue
            limit = seconds(self._at()[0]) if at else _START_S
            if limit is not None and monotonic() - since > limit:
                raise HelperLost("time", *self._at(), f"it took more than {limit:g} s")

    def _at(self) -> tuple[str, str]:
        item, _, file = self._place.value.decode("utf-8", "surrogateescape").partition("\n")
        return item, file

    def end(self) -> None:
        self._process.kill()
        self._process.join(5)
        self._pipe.close()


def _serve(pipe: Connection, place: Any, memory_bytes: int) -> None:
    """Main function of a helper: do what comes through the pipe until it is closed."""
    global _place
    _place = place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that owns this one
    _confine(memory_bytes)
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        mark("")
        answer: tuple[bool, Any]
        try:
            answer = True, function(*arguments)
        except LensTriageError as problem:
            answer = False, problem
        except Exception as problem:  # noqa: BLE001 - raised again by the caller
            failure = HelperError(f"{type(problem).__name__}: {problem}")
            answer = False, with_traceback(failure, problem)
        with suppress(BrokenPipeError):
            pipe.send(answer)


def _confine(memory_bytes: int) -> None:
    """Take from this process most memory, the network and other programs."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Not the address space: files that are mapped to be read cost no memory.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    sys.addaudithook(_forbid)


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_NETWORK):
        raise PermissionError("readers of files may not use the network")
    if event.startswith(_PROGRAMS):
        raise PermissionError("readers of files may not start programs")
