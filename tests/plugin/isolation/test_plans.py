"""What processes of a session are told and have imported."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.plans import SessionPlan, modules_of

PLAN = SessionPlan("/folder", ("-q", "a"), ("a",), ("one",), {}, None, {"workerid": "master"}, None, lambda: ())


def test_what_a_process_is_told_is_plain_data() -> None:
    told = PLAN.for_child()
    assert told["kind"] == "configure"
    assert (told["args"], told["paths"], told["measuring"]) == (["-q", "a"], ["a"], None)
    # What is imported, and whether forks are made, is for whoever makes the processes.
    assert {"plugins", "preload", "sifts"}.isdisjoint(told)


def test_modules_of_plugins_but_for_those_that_a_session_has_to_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("plain_plugin", "conftest"):
        (tmp_path / f"{name}.py").write_text("")
        monkeypatch.delitem(sys.modules, name, raising=False)
    plugins = [importlib.import_module("plain_plugin"), importlib.import_module("conftest"), SimpleNamespace()]
    rewritten = importlib.import_module("json")
    monkeypatch.setattr(rewritten, "__loader__", object())
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: [*plugins, rewritten]))
    assert modules_of(config) == ("plain_plugin",)
