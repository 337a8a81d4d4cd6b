"""What pytest's own process takes over of what others have measured."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from coverage import Coverage, CoverageData

from pytest_tfkernel.plugin.isolation import measuring
from pytest_tfkernel.plugin.isolation.measuring import Measuring


class Config:
    """Notes what a person is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.pluginmanager = pytest.PytestPluginManager()

    def issue_config_time_warning(self, warning: Warning, stacklevel: int) -> None:
        self.warnings.append(str(warning))


@pytest.fixture
def config() -> Any:
    return Config()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Measuring]:
    def make(**options: Any) -> Measuring:
        folder = tmp_path / "folder"
        folder.mkdir()
        return Measuring(Coverage(data_file=str(tmp_path / "own"), config_file=False, **options), folder)

    return make


def lines(measuring: Measuring) -> list[int] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return measuring.coverage.get_data().lines("/some/file.py")


def test_lines_are_taken_over_and_files_go(make: Callable[..., Measuring], config: Any) -> None:
    made = make()
    for number in (1, 2):
        data = CoverageData(str(made.folder / f"data.{number}"))
        data.add_lines({"/some/file.py": [number]})
        data.close(force=True)
    made.take_over(config)
    made.take_over(config)
    assert sorted(lines(made) or ()) == [1, 2]
    assert list(made.folder.iterdir()) == []
    assert config.warnings == []


def test_what_cannot_be_read_is_told_and_the_rest_is_taken_over(make: Callable[..., Measuring], config: Any) -> None:
    made = make()
    (made.folder / "data.0").write_bytes(b"no database at all, and long enough to look like one" * 4)
    data = CoverageData(str(made.folder / "data.1"))
    data.add_lines({"/some/file.py": [1]})
    data.close(force=True)
    made.take_over(config)
    assert lines(made) == [1]
    assert len(config.warnings) == 1
    assert config.warnings[0].startswith("what 1 process(es) of tests measured can't be read: ")


def test_processes_are_told_to_measure_alike(
    make: Callable[..., Measuring], config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERAGE_PROCESS_START", "somewhere")
    told = make(branch=True, source=["package"], omit=["x"]).for_child(config)
    assert told["options"]["run:branch"] is True
    assert told["options"]["run:source"] == ["package"]
    assert told["options"]["run:omit"] == ["x"]
    assert told["environment"] == {"COVERAGE_PROCESS_START": "somewhere"}
    assert told["config_file"] is False
    assert told["contexts"] is False


def test_nothing_is_begun_where_nothing_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "coverage", raising=False)
    assert measuring.begin(tmp_path) is None
    idle = SimpleNamespace(Coverage=SimpleNamespace(current=lambda: None))
    monkeypatch.setitem(sys.modules, "coverage", idle)
    assert measuring.begin(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
