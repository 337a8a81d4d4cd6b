"""A pytest under test, in a process of its own: how the integration tests look at the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from warm import BY_REQUEST, Warm, without

_SECONDS = 240


@dataclass(frozen=True)
class Inner:
    """A folder with tests, and a way to run pytest there.

    With `canned`, trials are played by hand: nothing is started, and what is seen is what honest
    kernels show. `log` notes who played which setting. `plugins` are loaded beside those that always are. With `warm`, a
    run is forked from it; without, and where it can't be, its interpreter is a fresh one. With the variable `COLD` that of
    its isolated tests is, too: its stacks and its name are those that a person sees.
    """

    folder: Path
    log: Path
    canned: bool = False
    plugins: tuple[str, ...] = ()
    warm: Warm | None = None

    @classmethod
    def make(cls, folder: Path, *, canned: bool = False, warm: Warm | None = None) -> Inner:
        """An empty folder below this one."""
        tests = folder / "tests"
        tests.mkdir()
        return cls(tests, folder / "played.txt", canned, warm=warm)

    def write(self, name: str, text: str) -> Path:
        """Write a file, by its path in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: str, **environment: str) -> pytest.RunResult:
        """Run pytest as a person would, with the entry point of the installed plugin."""
        unwanted = without(*(name for name in BY_REQUEST if name not in self.plugins))
        words = [*unwanted, *(["-p", "played"] if self.canned else []), *arguments]
        environment = self.environment | environment
        if self.warm is not None and self.warm.can_run(environment):
            code, out, err = self.warm.run(words, self.folder, environment, _SECONDS)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *words],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        # Shown when the test fails.
        sys.stdout.write(out)
        sys.stderr.write(err)
        return pytest.RunResult(code, out.splitlines(), err.splitlines(), 0.0)

    def played(self) -> list[tuple[str, str]]:
        """Who has played which setting so far, where the plugin `played` is loaded."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [(worker, setting) for worker, setting, _ in map(str.split, lines)]

    def played_in(self) -> list[tuple[str, str]]:
        """Which setting was played in which kernel, by its label; `None` for what is of no kernel."""
        return [
            (kernel, setting)
            for _, setting, kernel in map(str.split, self.log.read_text(encoding="utf-8").splitlines())
        ]

    @property
    def environment(self) -> dict[str, str]:
        """That of the pytest under test."""
        # The pytest around us has nothing to say here.
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))}
        # With it, pytest's summary shows each failure a second time as a whole.
        environment.pop("CI", None)
        here = str(Path(__file__).parent)
        return environment | {
            "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PY_COLORS": "0",
            "COLUMNS": "160",
            "PYTEST_DEBUG_TEMPROOT": str(self.folder.parent),
            "TRIALS_LOG": str(self.log),
            "TRIALS": "canned" if self.canned else "",
        }


def counts(result: pytest.RunResult) -> dict[str, int]:
    """The counts of a run's last line, less what was not selected."""
    return {name: number for name, number in result.parseoutcomes().items() if name != "deselected"}


def ran(result: pytest.RunResult) -> int:
    """How many items have a verdict that is no failure; scenarios that are not played are UNKNOWN."""
    outcomes = counts(result)
    assert set(outcomes) <= {"passed", "unknown"}, outcomes
    return sum(outcomes.values())
