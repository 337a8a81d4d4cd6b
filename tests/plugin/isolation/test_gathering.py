"""What is told while tests are collected."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.plugin.isolation.gathering import Gathering


def collecting(path: str) -> dict[str, Any]:
    return {"kind": "collecting", "path": path, "nodeid": path}


def test_files_before_the_one_that_is_unsafe_are_harmless() -> None:
    heard = Gathering()
    unsafe = {"kind": "unsafe", "path": "b", "reason": "threads"}
    told = [collecting("a"), collecting("b"), unsafe, {"kind": "collectreport"}, collecting("c"), {"kind": "collected"}]
    for message in told:
        heard.hear(message)
    # It has begun, too, when it is told of.
    assert (heard.unsafe, heard.harmless, heard.files) == (unsafe, {"a", "b"}, {"a", "b", "c"})
    assert heard.place == collecting("c")
    # Pytest isn't told of what is ours.
    assert heard.told == [one for one in told if one is not unsafe]
