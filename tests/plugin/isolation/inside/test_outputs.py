"""What a process of tests leaves when its session ends."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.inside.outputs import Outputs

NAME = "PYTEST_XDIST_WORKER"


def through(hook: Generator[None, Any, Any]) -> None:
    """Let a wrapper go on."""
    with pytest.raises(StopIteration):
        hook.send(None)


def session(output: object) -> Any:
    return SimpleNamespace(config=SimpleNamespace(workeroutput=output))


def test_it_is_empty_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    made = Outputs(str(tmp_path))
    for _ in range(2):
        test = made.pytest_runtest_protocol()
        next(test)
        through(test)
    (file,) = tmp_path.iterdir()
    assert file.read_text() == ""
    end = made.pytest_sessionfinish(session({"said": ("a",)}))
    next(end)
    assert os.environ[NAME] == "gw0"
    through(end)
    assert NAME not in os.environ
    assert codec.decode(json.loads(file.read_text())) == {"said": ("a",)}


def test_who_ran_no_test_leaves_nothing(tmp_path: Path) -> None:
    end = Outputs(str(tmp_path)).pytest_sessionfinish(session({"said": 1}))
    next(end)
    through(end)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_of_xdist_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "gw7")
    end = Outputs(str(tmp_path)).pytest_sessionfinish(session({}))
    next(end)
    assert os.environ[NAME] == "gw7"
    through(end)
    assert os.environ[NAME] == "gw7"


def test_a_folder_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    made = Outputs(str(tmp_path / "gone"))
    test = made.pytest_runtest_protocol()
    next(test)
    through(test)
    end = made.pytest_sessionfinish(session({}))
    next(end)
    through(end)
