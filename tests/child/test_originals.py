"""Clock, poll(2) and fcntl(2) as they are, whatever stands in their place."""

from __future__ import annotations

import fcntl
import os
import select
import time

import pytest

from pytest_tfkernel._child import originals


def test_what_is_replaced_later_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((select, "poll"), (time, "clock_gettime"), (time, "monotonic"), (fcntl, "fcntl")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("a replacement was used"))
    reader, writer = os.pipe()
    try:
        poll = originals.poll()
        poll.register(reader, select.POLLIN)
        os.write(writer, b"x")
        assert poll.poll(0) == [(reader, select.POLLIN)]
        assert originals.fcntl(reader, fcntl.F_GETFD, 0) == fcntl.FD_CLOEXEC
        assert originals.monotonic() > 0
    finally:
        os.close(reader)
        os.close(writer)


def test_the_clock_is_that_of_everybody() -> None:
    before = time.monotonic()
    assert before <= originals.monotonic() <= time.monotonic()


def test_a_module_of_c_is_had_anew_as_nobody_has_changed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "poll", None)
    assert isinstance(originals._pristine("select").poll, type(len))
