"""Folders in which the commands of the pages are run: what the pages take for granted is there."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import documents
import projects
import stories
import wheels
from inner import Inner
from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.processes.postmortems import records
from pytest_tfkernel.report.document import Document

# Of places with such a name, trials are played by hand.
CANNED = "-canned"
# What takes longer, and repeats what tests of upgrades show.
SOAKING = {"project", "project-numpy"}
_SECONDS = 120
_SIZE = "[pytest]\ntfkernel_size = smoke\n"
_MINE = "def test_mine(): pass\n"
_KNOWN = '[{"guarantee": "starts-blank", "observed": "imported", "reason": "issue 8"}]\n'
# Lives long enough to be ended, or to be struck.
_SCRIPT = """\
import sys, time
print("trained", sys.argv[1:], flush=True)
time.sleep({seconds})
"""
_WRAPPER = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
_OURS = """
import sys
from pytest_tfkernel import __main__ as program
sys.exit(program.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Said:
    """What a command said: stdout, and then stderr."""

    code: int
    text: str


@dataclass(frozen=True)
class Place:
    """A folder, and a person who types there."""

    inner: Inner
    surroundings: Mapping[str, str]

    @classmethod
    def prepare(cls, name: str, inner: Inner) -> Place:
        """As the first command finds it."""
        around = {"XDG_STATE_HOME": str(inner.folder.parent)}
        if name in _RELEASES:
            around |= _index(inner.folder.parent, _RELEASES[name])
        place = cls(replace(inner, canned=name.endswith(CANNED)), around)
        for path, text in _FILES[name].items():
            file = place.inner.write(path, text)
            if text == _WRAPPER:
                file.chmod(0o755)
        for path, document in _DOCUMENTS.get(name, {}).items():
            file = place.inner.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            documents.write(file, document)
        if name == "deaths":
            records.keep(stories.dead(Cause.SIGNAL, Killer.SELF, signal=11, stack=stories.STACK), place._environment)
        return place

    def type(self, command: str) -> Said:
        """Run it. Only pytest and our own commands are known."""
        words = shlex.split(command)
        if words[0].endswith("python"):
            module = words[words.index("-m") + 1]
            words = [module.replace("_", "-"), *words[words.index("-m") + 2 :]]
        program = words[0].rpartition("/")[2]
        if program == "pytest":
            done = self.inner.run(*words[1:], **self.surroundings)
            return Said(int(done.ret), f"{done.stdout}\n{done.stderr}")
        assert program == "pytest-tfkernel", f"{command}: what runs it?"
        return Said(*self._run_ours(words[1:]))

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.inner.environment, **self.surroundings}

    def _run_ours(self, words: list[str]) -> tuple[int, str]:
        warm = self.inner.warm
        if warm is not None and warm.can_run(self._environment):
            code, out, err = warm.run(words, self.inner.folder, self._environment, _SECONDS, _OURS)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "pytest_tfkernel", *words],
                cwd=self.inner.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        sys.stdout.write(out + err)
        return code, f"{out}\n{err}"


def _index(folder: Path, releases: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Variables with which a folder of wheels is all that there is to be installed."""
    links = folder / "links"
    links.mkdir()
    for package, sources in releases.items():
        module = package.removesuffix("-cpu")
        for version, source in sources.items():
            wheels.build(links, package, version, {f"{module}/__init__.py": source})
    return projects.surroundings(folder, links)


_PROJECT = "[project]\nname = 'model'\nversion = '1'\noptional-dependencies = { test = [] }\n"
# What is called TensorFlow or NumPy there, by version, and by what it has.
_RELEASES: dict[str, dict[str, dict[str, str]]] = {
    "project": {
        "tensorflow-cpu": {
            f"{version}.0": f"trapz = {version < '2.20'}\n" for version in ("2.18", "2.19", "2.20", "2.21")
        }
    },
    "project-numpy": {
        "tensorflow-cpu": {"2.21.0": ""},
        "numpy": {f"{version}.0": f"trapz = {version < '2.4'}\n" for version in ("2.0", "2.1", "2.3", "2.4")},
    },
}
_FILES: dict[str, dict[str, str]] = {
    "suite-canned": {
        "pytest.ini": _SIZE,
        "tests/test_mine.py": _MINE,
        "other/bin/python": _WRAPPER,
        "known.json": _KNOWN,
    },
    "compare-canned": {"pytest.ini": _SIZE, "tests/test_mine.py": _MINE, "new/bin/python": _WRAPPER},
    "documents": {},
    "history-canned": {"pytest.ini": _SIZE},
    "compare-python-canned": {"pytest.ini": _SIZE, "new/bin/python": _WRAPPER},
    "own": {"test_mine.py": _MINE, "other/bin/python": _WRAPPER},
    "leaky": {"test_leaks.py": "import tempfile\ndef test_leaks(): tempfile.mkstemp(dir='.')\n"},
    "two-files": {f"test_{name}.py": "def test_one(): pass\ndef test_two(): pass\n" for name in "ab"},
    "script": {"train.py": _SCRIPT.format(seconds=0)},
    "endless-script": {"train.py": _SCRIPT.format(seconds=600)},
    "deaths": {},
    "project": {
        "pyproject.toml": _PROJECT,
        "tests/test_model.py": "import tensorflow\ndef test_area_under_a_curve(): assert tensorflow.trapz\n",
        "known.json": '[{"test": "*", "change": "*", "reason": "issue 8"}]',
    },
    "project-numpy": {
        "pyproject.toml": _PROJECT,
        "tests/test_model.py": "import numpy\ndef test_area_under_a_curve(): assert numpy.trapz\n",
    },
}
_OLD = documents.document(tensorflow="2.20.0")
# What was cut short lies beside its place.
_DOCUMENTS: dict[str, dict[str, Document]] = {
    "documents": {
        "ref.json": _OLD,
        "run.json": documents.of_kernels("2.20.0", "2.21.0"),
        "changed.json": documents.cut_short(documents.document()),
        ".tfkernel-upgrade/runs/tests-ref.json": _OLD,
        ".tfkernel-upgrade/runs/tests-changed.json": documents.cut_short(documents.document()),
    },
}
