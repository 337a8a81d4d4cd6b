"""The interpreters of a session, each with a label of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.plugin import interpreters

FOUND = {
    "/a": Interpreter("/a", (3, 11, 1), "2.21.0"),
    "/b": Interpreter("/b", (3, 11, 9), "2.21.0"),
    "/c": Interpreter("/c", (3, 7, 1), "1.15.5"),
}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Any:
    """That of a session that was asked for all of them, two of which are alike."""
    asked: list[str] = []
    options = SimpleNamespace(pythons=tuple(FOUND), kernelspec=None)
    monkeypatch.setattr(interpreters, "options_of", lambda _: options)
    launcher = SimpleNamespace(interpreter=lambda python: asked.append(python) or FOUND[python])  # type: ignore[func-returns-value]
    monkeypatch.setattr(interpreters, "launcher_of", lambda _: launcher)
    return SimpleNamespace(stash=pytest.Stash(), asked=asked, options=options)


def test_they_are_in_the_order_of_the_command_line_and_no_label_is_twice(config: Any) -> None:
    assert interpreters.interpreters_of(config) == {
        "tf2.21.0-py3.11": FOUND["/a"],
        "tf2.21.0-py3.11-2": FOUND["/b"],
        "tf1.15.5-py3.7": FOUND["/c"],
    }
    # Each is asked once.
    interpreters.interpreters_of(config)
    assert config.asked == list(FOUND)


def test_a_worker_is_told_and_asks_nobody(config: Any) -> None:
    node = SimpleNamespace(config=config, workerinput={})
    interpreters.tell(cast("Any", node))
    assert node.workerinput == {}
    found = interpreters.interpreters_of(config)
    interpreters.tell(cast("Any", node))
    config.asked.clear()
    worker: Any = SimpleNamespace(stash=pytest.Stash(), workerinput=node.workerinput)
    assert interpreters.interpreters_of(worker) == found
    assert config.asked == []


@pytest.mark.parametrize(("kernelspec", "missing"), [(None, ("jupyter", "spyder")), ("mine", ("spyder",))])
def test_kernels_of_others_may_be_missing_but_that_of_a_kernelspec(
    config: Any, monkeypatch: pytest.MonkeyPatch, kernelspec: str | None, missing: tuple[str, ...]
) -> None:
    config.options.kernelspec = kernelspec
    there = {name: Capability(name, "", name == "multiprocess") for name in ("jupyter", "spyder", "multiprocess")}
    monkeypatch.setattr(interpreters, "hosts", lambda _: there)
    assert interpreters.missing_hosts(config, FOUND["/a"]) == missing
