"""What is no Python, or too old a one, is told in one line."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_tfkernel._child
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer

FindPython = Callable[[str], str]
_CHILD = Path(pytest_tfkernel._child.__file__).parent


@pytest.fixture
def refused(launcher: Launcher) -> Callable[[object], str]:
    """Start a kernel with this interpreter; the one line that says why it isn't possible."""

    def start(python: object) -> str:
        with pytest.raises(SpecError) as caught:
            launcher.start(KernelSpec(python=str(python), provisioner=ForkServer(preload=())))
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(f"python={str(python)!r} ")
        assert launcher.start(KernelSpec(provisioner=ForkServer(preload=()))).execute("1").value == 1
        return str(caught.value)

    return start


def test_what_does_not_exist(refused: Callable[[object], str]) -> None:
    assert "doesn't exist: name a Python interpreter" in refused("/no/such/python")
    assert "doesn't exist: name a Python interpreter, as a path or as found on PATH" in refused("no-such-python")


def test_a_name_that_no_file_can_have(refused: Callable[[object], str]) -> None:
    assert "can't be looked at ([Errno 36] File name too long" in refused("n" * 300)


def test_one_of_this_folder_that_is_not_on_the_path(
    refused: Callable[[object], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-own-python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    assert refused("my-own-python").endswith("is not on PATH: write './my-own-python' for the one in this folder")


def test_a_folder(refused: Callable[[object], str], tmp_path: Path) -> None:
    assert "is not an executable file: name a Python interpreter" in refused(tmp_path)


def test_a_file_that_cannot_be_executed(refused: Callable[[object], str], tmp_path: Path) -> None:
    file = tmp_path / "python"
    file.write_text("print()")
    assert "is not an executable file" in refused(file)


def test_a_file_with_no_known_format(refused: Callable[[object], str], tmp_path: Path) -> None:
    file = tmp_path / "python"
    file.write_text("neither a script nor a program")
    file.chmod(0o755)
    assert "can't be run (" in refused(file)


@pytest.mark.parametrize("name", ["ls", "true", "false", "cat", "echo"])
def test_a_program_that_is_no_python(refused: Callable[[object], str], name: str) -> None:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} here")
    assert "is not a Python interpreter: asked for its version, it ended with" in refused(path)


def test_a_program_that_prints_without_end_is_stopped_soon(refused: Callable[[object], str]) -> None:
    path = shutil.which("yes")
    if path is None:
        pytest.skip("there is no yes here")
    assert "is not a Python interpreter: asked for its version, it printed more than 64 MiB" in refused(path)


def test_a_program_that_answers_with_other_json(refused: Callable[[object], str], tmp_path: Path) -> None:
    for answer in ("{}", "[]", "3", '{"version": [3], "executable": 1, "tensorflow": 2}', '{"version": "3.11"}'):
        file = tmp_path / "python"
        file.write_text(f"#!/bin/sh\necho '{answer}' >&3\n# {answer}")
        file.chmod(0o755)
        named = file.rename(tmp_path / f"python-{abs(hash(answer))}")
        assert "is not a Python interpreter" in refused(named)


def test_a_program_that_does_not_answer(
    refused: Callable[[object], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_tfkernel.kernels.specs.interpreters._SECONDS", 0.3)
    file = tmp_path / "python"
    file.write_text("#!/bin/sh\nsleep 60")
    file.chmod(0o755)
    assert "did not answer for 0.3 s" in refused(file)


def test_a_python_that_is_too_old(refused: Callable[[object], str], find_python: FindPython) -> None:
    assert "is Python 2.7: kernels need 3.6 or newer" in refused(find_python("2.7"))


def test_a_python_says_what_it_is(launcher: Launcher) -> None:
    found = launcher.interpreter(sys.executable)
    assert (found.executable, found.version) == (sys.executable, sys.version_info[:3])


def test_a_name_on_the_path_will_do(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python-on-the-path").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert launcher.interpreter("python-on-the-path").version == sys.version_info[:3]


def test_a_python_without_tensorflow_is_told(launcher: Launcher, find_python: FindPython) -> None:
    python = find_python("3.12")
    if launcher.interpreter(python).tensorflow is not None:
        pytest.skip(f"{python} has TensorFlow")
    from pytest_tfkernel.model.errors import KernelStartError

    with pytest.raises(
        KernelStartError, match=r"^.* can't import tensorflow: ModuleNotFoundError: .*; install it there.*$"
    ):
        launcher.start(KernelSpec(python=python))
    assert "no TensorFlow" in str(launcher.interpreter(python))


def _install(folder: Path, module: str, info: str, version: str, top: str | None = None, text: str = "") -> None:
    """A module, and a distribution that has installed it."""
    (folder / module).mkdir(parents=True, exist_ok=True)
    (folder / module / "__init__.py").write_text(text, encoding="utf-8")
    (folder / info).mkdir()
    name = "METADATA" if info.endswith(".dist-info") else "PKG-INFO"
    (folder / info / name).write_text(f"Metadata-Version: 2.1\nName: \u00e9\nVersion: {version}\n", encoding="utf-8")
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    (folder / info / "RECORD").write_text(f"{module}/__init__.py,sha256={digest},{len(text)}\n", encoding="utf-8")
    if top is not None:
        (folder / info / "top_level.txt").write_text(top, encoding="utf-8")


def _described(python: str, folder: Path) -> dict[str, Any]:
    environment = {"PYTHONPATH": str(folder), "LC_ALL": "C", "PATH": os.environ["PATH"]}
    command = ["/bin/sh", "-c", 'exec "$0" "$1" 3>&1', python, str(_CHILD / "describe.py")]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(params=["3.6", "3.7", "3.11", "3.13"])
def bare_python(request: pytest.FixtureRequest, find_python: FindPython) -> str:
    """Interpreters of several ages."""
    return find_python(request.param)


def test_a_distribution_is_found_by_what_it_has_installed(bare_python: str, tmp_path: Path) -> None:
    _install(
        tmp_path, "tensorflow", "tf_nightly_cpu-2.22.0.dev20260905.dist-info", "2.22.0.dev20260905", "tensorflow\n"
    )
    _install(tmp_path, "keras", "keras_nightly-3.16.0.dev1.dist-info", "3.16.0.dev1", "keras\n")
    # As older tools have installed it, and as those that write down no modules have.
    _install(tmp_path, "numpy", "ours-1.2-py3.7.egg-info", "1.2", "numpy\nother\n")
    _install(tmp_path, "ipykernel", "ipykernel-7.0.dist-info", "7.0")
    _install(tmp_path, "multiprocess", "a_fork_of_it-0.7.dist-info", "0.7")
    # Nobody's, as a working copy is.
    (tmp_path / "spyder_kernels").mkdir()
    (tmp_path / "spyder_kernels" / "__init__.py").touch()
    found = _described(bare_python, tmp_path)
    assert found["tensorflow"] == "2.22.0.dev20260905"
    assert found["packages"] == {
        "keras": "3.16.0.dev1",
        "numpy": "1.2",
        "ipykernel": "7.0",
        "multiprocess": "0.7",
        "spyder_kernels": "unknown",
    }


@pytest.mark.parametrize("last", ["tensorflow-2.21.0", "tf_nightly-2.22.0.dev1"])
def test_of_two_that_install_it_the_one_counts_whose_files_are_there(tmp_path: Path, last: str) -> None:
    both = {"tensorflow-2.21.0", "tf_nightly-2.22.0.dev1"}
    for name in (*sorted(both - {last}), last):
        _install(tmp_path, "tensorflow", f"{name}.dist-info", name.partition("-")[2], "tensorflow\n", f"# {name}")
    assert _described(sys.executable, tmp_path)["tensorflow"] == last.partition("-")[2]


def test_one_that_is_named_alike_and_has_installed_something_else_does_not_count(tmp_path: Path) -> None:
    _install(tmp_path, "tensorflow", "tensorflow_cpu-2.21.0.dist-info", "2.21.0", "tensorflow\n")
    # A package of names only, as some are.
    (tmp_path / "tensorflow-1.0.dist-info").mkdir()
    (tmp_path / "tensorflow-1.0.dist-info" / "METADATA").write_text("Version: 1.0\n", encoding="utf-8")
    assert _described(sys.executable, tmp_path)["tensorflow"] == "2.21.0"


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ("tensorflow_cpu-9.8.7.dist-info", "9.8.7"),
        ("intel_tensorflow-2.15.0-py3.7.egg-info", "2.15.0"),
        ("tensorflow-2.15.0+ours.dist-info", "2.15.0+ours"),
        ("tensorboard-2.15.0.dist-info", "unknown"),
        ("tensorflow.dist-info", "unknown"),
    ],
)
def test_one_of_which_little_is_left_is_known_by_its_name(tmp_path: Path, info: str, version: str) -> None:
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").touch()
    (tmp_path / info).mkdir()
    assert _described(sys.executable, tmp_path)["tensorflow"] == version
