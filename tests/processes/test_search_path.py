"""Where processes of ours are told to look for modules."""

from __future__ import annotations

import json
import sys

import pytest

from pytest_tfkernel._child import library, search_path as looked
from pytest_tfkernel.processes import search_path


def test_only_absolute_folders_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "/a", "relative", "/b"])
    (told,) = search_path.search_path().items()
    assert (told[0], json.loads(told[1])) == (search_path.VARIABLE, ["/a", "/b"])


def test_what_is_told_is_what_a_process_of_ours_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/a", "/b"])
    told = search_path.search_path()
    monkeypatch.setattr(sys, "path", ["/library", "/b"])
    for name, text in told.items():
        monkeypatch.setenv(name, text)
    looked.look_where_told()
    assert sys.path == ["/library", "/b", "/a"]


def test_the_library_comes_first_by_the_same_means_as_in_a_kernel() -> None:
    assert search_path.standard_library_first is library.first
