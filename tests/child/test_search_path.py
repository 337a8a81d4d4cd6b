"""Where a process of ours looks for modules."""

from __future__ import annotations

import json
import os
import sys

import pytest

from pytest_tfkernel._child import search_path


@pytest.mark.parametrize(("told", "path"), [(["/b", "/a", "/c"], ["/a", "/b", "/c"]), (None, ["/a"])])
def test_it_looks_where_it_is_told_after_all_else(
    monkeypatch: pytest.MonkeyPatch, told: list[str] | None, path: list[str]
) -> None:
    monkeypatch.setattr(sys, "path", ["/a"])
    monkeypatch.delenv(search_path.VARIABLE, raising=False)
    if told is not None:
        monkeypatch.setenv(search_path.VARIABLE, json.dumps(told))
    search_path.look_where_told()
    assert sys.path == path
    # What it starts isn't told.
    assert search_path.VARIABLE not in os.environ
