"""How commands begin and end: with our modules and nobody else's, and never with the code of an answer that isn't one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel import __main__ as program, commands
from pytest_tfkernel._child import proc

CANT_TELL = 2
# Each ends with 2, and has imported by then all that it needs.
COMMANDS = {
    "idle": ["doctor", "--require=gpu-idle"],
    "capability": ["doctor", "--require=unicorns"],
    "machine": ["doctor", "--require=tensorflow", "--python=/nonexistent"],
    "compare": ["compare", "ref.json", "changed.json"],
    "explain": ["explain", "unicorns"],
    "history": ["history", "run.json"],
    "list": ["list", "--python=/nonexistent"],
    "gpu-report": ["gpu-report", "nowhere/folder", "--part=unicorns"],
    "page": ["page", "run.json"],
    "run": ["run", "--provisioner=unicorn", "/dev/null"],
    "upgrade": ["upgrade", "2.20", "2.21", "--folder=no/such/folder"],
}
# What installers make of `project.scripts`.
SCRIPT = "import sys\nfrom pytest_tfkernel.__main__ import script\nif __name__ == '__main__':\n    sys.exit(script())\n"
WAYS = ["script", "isolated"]
PATHS = ["{traps}", ".", "", ":", "relative:{traps}:{library}", "{traps}:{packages}"]


def _both(values: Iterable[Any], always: Any, ids: Sequence[str]) -> list[Any]:
    """Each in both ways; but for one of them, the second is of the soak."""
    return [
        pytest.param(value, way, id=f"{one}-{way}", marks=[pytest.mark.soak] * (way != WAYS[0] and value != always))
        for value, one in zip(values, ids, strict=True)
        for way in WAYS
    ]


@dataclasses.dataclass(frozen=True)
class Trapped:
    """A folder with a module for each name of the standard library that a bare Python hasn't loaded at its start."""

    folder: Path
    caught: Path
    script: Path

    def run(self, way: str, arguments: Sequence[str], **places: Any) -> tuple[int, str, list[str]]:
        """The exit code, what was said, and the names of modules that were taken from the folder."""
        begin = [str(self.script)] if way == "script" else ["-I", "-m", "pytest_tfkernel"]
        done = subprocess.run(
            [sys.executable, *begin, *arguments], capture_output=True, text=True, timeout=60, check=False, **places
        )
        caught = self.caught.read_text().split() if self.caught.exists() else []
        return done.returncode, done.stdout + done.stderr, caught


@pytest.fixture(autouse=True)
def all_ended(eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """A doctor that is through leaves its supervisor to end after it: wait for that."""
    before = {one["pid"] for one in proc.descendants(os.getpid())}
    yield
    eventually(lambda: all(one["pid"] in before or one["state"] == "Z" for one in proc.descendants(os.getpid())))


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Trapped:
    """Set once for all; each test takes off what was caught before it."""
    place = tmp_path_factory.mktemp("main")
    found = Trapped(place / "traps", place / "caught", place / "bin/pytest-tfkernel")
    for folder in (found.folder, found.script.parent):
        folder.mkdir()
    found.script.write_text(SCRIPT)
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], stdout=subprocess.PIPE, check=True)
    for name in sys.stdlib_module_names - set(bare.stdout.decode().split()):
        (found.folder / f"{name}.py").write_text(
            f"print({name!r}, file=open({str(found.caught)!r}, 'a'))\nraise OSError"
        )
    return found


@pytest.fixture
def trapped(traps: Trapped) -> Trapped:
    traps.caught.unlink(missing_ok=True)
    return traps


@pytest.mark.uncovered
def test_the_traps_can_catch(trapped: Trapped) -> None:
    done = subprocess.run([sys.executable, "-c", "import random"], cwd=trapped.folder, check=False)
    assert done.returncode == 1
    assert trapped.caught.read_text().split() == ["random"]


# The ways differ in where modules are looked for, which is settled before a command is: each is run as a script, which has
# to take more off its path, and the one that starts most processes in both ways.
@pytest.mark.parametrize(("arguments", "way"), _both(COMMANDS.values(), COMMANDS["idle"], list(COMMANDS)))
def test_a_module_of_the_working_folder_is_not_ours(trapped: Trapped, way: str, arguments: list[str]) -> None:
    code, said, caught = trapped.run(way, arguments, cwd=trapped.folder)
    assert (code, said.count("\n"), caught) == (CANT_TELL, 1, []), said


@pytest.mark.uncovered
# Isolated, it reads none of them, and what it starts is the same in both ways.
@pytest.mark.parametrize(("path", "way"), _both(PATHS, PATHS[0], PATHS))
# What a command imports is known by then; the working folder above asks it of each.
@pytest.mark.parametrize(
    "arguments", [COMMANDS["idle"], pytest.param(COMMANDS["compare"], marks=pytest.mark.soak)], ids=["idle", "compare"]
)
def test_a_module_of_pythonpath_is_not_ours(trapped: Trapped, way: str, arguments: list[str], path: str) -> None:
    library, packages = Path(os.__file__).parent, Path(pytest.__file__).parents[1]
    named = path.format(traps=trapped.folder, library=library, packages=packages)
    environment = {**os.environ, "PYTHONPATH": named}
    code, said, caught = trapped.run(way, arguments, cwd=trapped.folder, env=environment)
    assert (code, said.count("\n"), caught) == (CANT_TELL, 1, []), said


def test_what_only_pythonpath_has_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "only_here.py").write_text("")
    code = "from pytest_tfkernel.__main__ import script\nimport sys\nsys.argv = ['x', '--help']\n"
    code += "try:\n    script()\nexcept SystemExit:\n    import only_here"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_working_folder_that_was_removed_is_no_matter(trapped: Trapped, way: str) -> None:
    gone = trapped.folder.parent / "gone"
    gone.mkdir()
    begin = f"{trapped.script}" if way == "script" else "-I -m pytest_tfkernel"
    command = f'cd "{gone}" && rmdir "{gone}" && exec "{sys.executable}" {begin} doctor --require=gpu-idle'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "gpu-idle: " in done.stdout + done.stderr


def test_the_script_is_installed() -> None:
    (found,) = entry_points(group="console_scripts", name="pytest-tfkernel")
    assert found.load() is program.script


@pytest.mark.parametrize("error", [RuntimeError("two\nlines"), ImportError("odd"), OSError("odd"), ValueError()])
@pytest.mark.parametrize("name", commands._COMMANDS)
def test_an_error_that_nobody_expects_is_a_line_and_no_answer(
    name: str, error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> Any:
        raise error

    broken = dataclasses.replace(commands._COMMANDS[name], run=fail)
    monkeypatch.setitem(commands._COMMANDS, name, broken)
    given = {"compare": 2, "explain": 1, "gpu-report": 1, "page": 1, "run": 1, "upgrade": 2}
    arguments = ["a"] * given.get(name, 0)
    assert program.main([name, *arguments]) == CANT_TELL
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{name}: can't tell: {type(error).__name__}: ")


@pytest.mark.parametrize(
    "arguments",
    [["doctor", "--require=two\nlines"], ["compare", "two\nlines", "b"], ["page", "two\nlines"]],
    ids=["doctor", "compare", "page"],
)
def test_a_name_of_two_lines_is_told_in_one(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(arguments) == CANT_TELL
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{arguments[0]}: ")


def test_a_package_that_is_not_whole_is_a_line_and_no_answer() -> None:
    code = "import sys\nsys.modules['pytest_tfkernel.commands'] = None\n"
    code += "from pytest_tfkernel.__main__ import main\nsys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (CANT_TELL, "", 1)
    assert done.stderr.startswith("pytest-tfkernel: can't tell: ModuleNotFoundError: ")


@pytest.mark.parametrize("redirection", [">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_an_answer_that_cannot_be_written_is_none(redirection: str, tmp_path: Path) -> None:
    tell = "compare: " if redirection.startswith("2") else "doctor"
    arguments = ["compare", "a", "b"] if tell == "compare: " else ["doctor", "--json"]
    command = f'"$0" -I -m pytest_tfkernel "$@" {redirection}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == CANT_TELL
    assert done.stderr in {"", "the answer can't be written: No space left on device\n"}


@pytest.mark.parametrize("way", WAYS)
def test_the_version_is_said(trapped: Trapped, way: str) -> None:
    code, said, caught = trapped.run(way, ["--version"], cwd=trapped.folder)
    python = ".".join(map(str, sys.version_info[:3]))
    assert (code, said, caught) == (0, f"pytest-tfkernel {version('pytest-tfkernel')}, Python {python}\n", [])
