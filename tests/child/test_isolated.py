"""Where a process of ours looks for modules."""

from __future__ import annotations

import json
import os
import sys

import pytest

from pytest_tfkernel._child import isolated


@pytest.mark.parametrize(("told", "path"), [(["/b", "/a", "/c"], ["/a", "/b", "/c"]), (None, ["/a"])])
def test_it_looks_where_it_is_told_after_all_else(
    monkeypatch: pytest.MonkeyPatch, told: list[str] | None, path: list[str]
) -> None:
    monkeypatch.setattr(sys, "path", ["/a"])
    monkeypatch.delenv(isolated.VARIABLE, raising=False)
    if told is not None:
        monkeypatch.setenv(isolated.VARIABLE, json.dumps(told))
    isolated.look_where_told()
    assert sys.path == path
    # What it starts isn't told.
    assert isolated.VARIABLE not in os.environ
