"""Helper processes: what is lost with one, and what they may not do."""

from __future__ import annotations

import os
import signal
import socket
import time

import pytest
from treacherous import add, connect, die, fail, fill, refuse, stall, start_program

from lensing_core.errors import BadInputError
from lensing_core.supervised import HelperError, HelperLost, Helpers


@pytest.fixture(scope="module")
def helpers():
    with Helpers(1, [], 2**30) as started:
        yield started


def test_a_helper_is_used_again(helpers):
    first = helpers.call(os.getpid)
    assert helpers.call(add, 2, 3) == 5
    assert helpers.call(os.getpid) == first != os.getpid()


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_death_says_what_was_being_done_and_the_next_call_works(helpers, how):
    with pytest.raises(HelperLost) as lost:
        helpers.call(die, how)
    found = lost.value
    assert (found.why, found.item, found.file) == ("died", "7", "/data/bad.fits")
    assert found.detail == f"signal {how.value}"
    assert helpers.call(add, 1, 1) == 2


def test_what_takes_too_long_is_ended(helpers):
    asked = []

    def seconds(item):
        asked.append(item)
        return 0.5

    began = time.monotonic()
    with pytest.raises(HelperLost) as lost:
        helpers.call(stall, seconds=seconds)
    assert (lost.value.why, lost.value.item) == ("time", "3")
    assert time.monotonic() - began < 30
    assert asked[-1] == "3"


def test_errors_come_back(helpers):
    with pytest.raises(BadInputError, match="no such thing"):
        helpers.call(refuse)
    with pytest.raises(HelperError, match="ZeroDivisionError"):
        helpers.call(fail)


def test_memory_is_bounded(helpers):
    assert helpers.call(fill, 2**20) == 1
    with pytest.raises(HelperError, match="MemoryError"):
        helpers.call(fill, 2**31)


def test_no_network_and_no_programs(helpers):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(HelperError, match="may not use the network"):
            helpers.call(connect, server.getsockname()[1])
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    with pytest.raises(HelperError, match="may not start programs"):
        helpers.call(start_program)
