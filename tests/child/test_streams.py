"""The standard streams, as whatever began with the interpreter has left them."""

from __future__ import annotations

import os
import sys
from typing import Any

from accounts import as_nobody
from pytest_tfkernel._child import streams


def test_a_stream_that_was_closed_has_its_place_taken() -> None:
    def look() -> list[Any]:
        for descriptor in (0, 2):
            os.close(descriptor)
        streams.settle()
        links = [os.readlink(f"/proc/self/fd/{one}") for one in (0, 2)]
        following = os.open("/dev/zero", os.O_RDONLY)
        return [links, os.get_inheritable(0), following > 2]

    assert as_nobody(look) == [[os.devnull, os.devnull], True, True]


def test_nothing_waits_to_be_written() -> None:
    def look() -> str:
        reader, writer = os.pipe()
        sys.stdout = os.fdopen(writer, "w")
        sys.stderr = None
        print("left", end="")
        streams.settle()
        return os.read(reader, 10).decode()

    assert as_nobody(look) == "left"
