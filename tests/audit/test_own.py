"""What pytest's own process holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.audit.own import own_resources
from pytest_tfkernel.model.resources import Kind, Resource


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "one", os.O_CREAT | os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def of(descriptor: int, path: Path) -> Resource:
    return Resource(Kind.HANDLE, f"descriptor {descriptor} of pytest", str(path), detail=str(path))


def there() -> set[str]:
    # That of this listing is closed when it is read.
    names = os.listdir("/proc/self/fd")
    return {f"descriptor {name} of pytest" for name in names if Path(f"/proc/self/fd/{name}").exists()}


def test_each_descriptor_is_told_with_its_file(opened: int, tmp_path: Path) -> None:
    assert of(opened, tmp_path / "one") in own_resources()


def test_all_that_are_open_are_told_and_no_other(opened: int) -> None:
    # Another thread may open one, or close one: those that were there before and are there afterwards are told.
    before = there()
    found = {one.name for one in own_resources() if one.kind is Kind.HANDLE}
    assert before & there() <= found
    assert f"descriptor {opened} of pytest" in found


def test_those_that_are_kept_hide_no_others(opened: int, tmp_path: Path) -> None:
    second = os.dup(opened)
    try:
        found = own_resources(kept={opened})
        assert of(opened, tmp_path / "one") not in found
        assert of(second, tmp_path / "one") in found
    finally:
        os.close(second)


def test_a_thread_is_told_by_its_name() -> None:
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="waits")
    thread.start()
    try:
        assert Resource(Kind.THREAD, "waits of pytest", str(thread.ident)) in own_resources()
    finally:
        go_on.set()
        thread.join()
