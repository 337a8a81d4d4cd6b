"""A process adds to the file of `--log-file`, and only from where pytest itself does no more."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside import logfile


def config(option: str | None = None, ini: str = "") -> Any:
    handler = logging.FileHandler(os.devnull)
    options = SimpleNamespace(log_file=option)
    return SimpleNamespace(
        option=options,
        getoption=lambda name: getattr(options, name),
        getini=lambda _: ini,
        stash=pytest.Stash(),
        pluginmanager=SimpleNamespace(get_plugin={"logging-plugin": SimpleNamespace(log_file_handler=handler)}.get),
        handler=handler,
    )


@pytest.mark.parametrize("words", [{"option": "a.log"}, {"ini": "a.log"}])
def test_it_waits_and_then_adds(words: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.log"
    file.write_text("of pytest itself\n", encoding="utf-8")
    found = config(**words)
    logfile.postpone(found)
    assert found.option.log_file == os.devnull
    found.handler.emit(logging.makeLogRecord({"msg": "not yet"}))
    monkeypatch.chdir("/")
    # Where it was when pytest began, and the option as a person has written it.
    logfile.resume(found)
    assert found.option.log_file == words.get("option")
    found.handler.emit(logging.makeLogRecord({"msg": "now"}))
    found.handler.close()
    assert file.read_text(encoding="utf-8") == "of pytest itself\nnow\n"


def test_without_a_file_nothing_is_opened() -> None:
    found = config()
    logfile.postpone(found)
    logfile.resume(found)
    assert found.handler.stream.name == os.devnull
    assert found.option.log_file is None
    found.handler.close()


def test_without_the_plugin_nothing_is_asked() -> None:
    found: Any = SimpleNamespace(option=SimpleNamespace(), stash=pytest.Stash())
    logfile.postpone(found)
    logfile.resume(found)
    assert vars(found.option) == {}
