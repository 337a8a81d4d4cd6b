"""What a process of tests leaves when its session ends."""

from __future__ import annotations

import os
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.inside.outputs import Outputs

NAME = "PYTEST_XDIST_WORKER"


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def ending(sent: list[Any]) -> Generator[None, Any, Any]:
    """The hook of a session that ends."""
    session: Any = SimpleNamespace(config=SimpleNamespace(workeroutput={"said": ("a",)}))
    return Outputs(sent.append).pytest_sessionfinish(session)


@pytest.mark.parametrize(("earlier", "seen"), [(None, "gw0"), ("gw7", "gw7")])
def test_plugins_end_as_in_a_worker(
    ending: Generator[None, Any, Any], sent: list[Any], monkeypatch: pytest.MonkeyPatch, earlier: str | None, seen: str
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if earlier is not None:
        monkeypatch.setenv(NAME, earlier)
    next(ending)
    assert os.environ[NAME] == seen
    assert sent == []
    with pytest.raises(StopIteration):
        ending.send(None)
    assert os.environ.get(NAME) == earlier
    (told,) = sent
    assert told["kind"] == "left"
    assert codec.decode(told["output"]) == {"said": ("a",)}


def test_a_session_that_fails_at_its_end_leaves_nothing(
    ending: Generator[None, Any, Any], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    next(ending)
    with pytest.raises(RuntimeError, match="of a plugin"):
        ending.throw(RuntimeError("of a plugin"))
    assert sent == []
    assert NAME not in os.environ
