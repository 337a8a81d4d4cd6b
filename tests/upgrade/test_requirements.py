"""What the words of a command line mean."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_tfkernel.upgrade import requirements
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.requirements import Installs, Wanted


@pytest.mark.parametrize(
    ("word", "requirement"),
    [
        ("2.21", "tensorflow-cpu==2.21.*"),
        ("2.21.0", "tensorflow-cpu==2.21.0"),
        (" 2.21.0 ", "tensorflow-cpu==2.21.0"),
        ("2.22.0rc0", "tensorflow-cpu==2.22.0rc0"),
        ("2.22rc0", "tensorflow-cpu==2.22rc0"),
        ("2.15.0.post1", "tensorflow-cpu==2.15.0.post1"),
        ("2.22.0.dev20260905", "tf-nightly-cpu==2.22.0.dev20260905"),
        ("tf-nightly-cpu", "tf-nightly-cpu"),
        ("tensorflow==2.21.*", "tensorflow==2.21.*"),
        ("tensorflow[and-cuda]==2.21.*", "tensorflow[and-cuda]==2.21.*"),
    ],
)
def test_a_version_is_one_of_tensorflow_cpu_and_all_else_what_pip_installs(word: str, requirement: str) -> None:
    assert requirements.read(word) == Wanted(word.strip(), requirement)


def test_a_version_may_be_of_another_package() -> None:
    assert requirements.read("3.5", "keras").requirement == "keras==3.5.*"
    assert requirements.read("3.5.0.dev1", "keras").requirement == "keras==3.5.0.dev1"


def test_an_interpreter_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "python9"
    link.symlink_to(sys.executable)
    # Not where it leads: beside that there is nothing of an environment.
    assert requirements.read(str(link)) == Wanted(str(link), interpreter=str(link))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert requirements.read("python9").interpreter == str(link)


def test_a_wheel_or_a_folder_is_what_pip_installs(tmp_path: Path) -> None:
    wheel = tmp_path / "tensorflow-9.whl"
    wheel.touch()
    assert requirements.read(str(wheel)).requirement == str(wheel)
    (tmp_path / "setup.py").touch()
    assert requirements.read(str(tmp_path)).requirement == str(tmp_path)


def test_a_folder_may_be_called_as_a_package_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow/setup.py").touch()
    assert requirements.read("tensorflow").requirement == "tensorflow"
    assert requirements.read("./tensorflow").requirement == str(tmp_path / "tensorflow")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("./venv", "./venv is the folder of an environment: name its interpreter, venv/bin/python"),
        ("venv", "venv is the folder of an environment: name its interpreter, venv/bin/python"),
        ("venv/bin", "venv/bin is the folder of an environment: name its interpreter, venv/bin/python"),
        ("./empty", "./empty is a folder without a project: name an interpreter, "),
    ],
)
def test_the_folder_of_an_environment_is_no_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "venv/bin").mkdir(parents=True)
    # Also where that is gone to which it leads.
    (tmp_path / "venv/bin/python").symlink_to("/nowhere")
    with pytest.raises(UpgradeError) as refused:
        requirements.read(word)
    assert str(refused.value).startswith(said)


def test_one_side_in_two_spellings_is_one(tmp_path: Path) -> None:
    for name in ("one/bin", "other/bin"):
        (tmp_path / name).mkdir(parents=True)
        for python in ("python", "python3"):
            (tmp_path / name / python).symlink_to(sys.executable)

    def differ(one: str, other: str) -> bool:
        return requirements.read(one).identity != requirements.read(other).identity

    assert not differ("2.18", "tensorflow_cpu == 2.18.*")
    assert not differ("2.18.0", "TensorFlow-CPU==2.18")
    assert differ("2.18", "2.18.0")
    assert differ("tensorflow", "tensorflow[and-cuda]")
    assert not differ(f"{tmp_path}/one/bin/python", f"{tmp_path}/one/bin/python3")
    assert differ(f"{tmp_path}/one/bin/python", f"{tmp_path}/other/bin/python")


@pytest.mark.parametrize("word", ["", " ", "-x", "foo bar", "tensorflow=2.18", "2..1", "/no/such/python", "./none.whl"])
def test_nonsense_is_refused(word: str) -> None:
    with pytest.raises(UpgradeError) as refused:
        requirements.read(word)
    assert "\n" not in str(refused.value)


def test_what_is_installed_beside_has_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("requirements.txt", "more.txt", "mine.whl", "pyproject.toml"):
        (tmp_path / name).touch()
    found = Installs.of(
        ["numpy<3", "./mine.whl", "-r more.txt", ".[a]"], ["requirements.txt"], [".[test]", "git+https://x/y"]
    )
    assert found.words == (
        "numpy<3",
        f"{tmp_path}/mine.whl",
        "-r",
        f"{tmp_path}/more.txt",
        f"{tmp_path}[a]",
        "-r",
        f"{tmp_path}/requirements.txt",
        "-e",
        f"{tmp_path}[test]",
        "-e",
        "git+https://x/y",
    )
    assert found.files == {f"{tmp_path}/more.txt", f"{tmp_path}/requirements.txt"}
    # Of a project that is linked, what says what it needs.
    assert found.sources == (
        tmp_path / "mine.whl",
        tmp_path / "more.txt",
        tmp_path,
        tmp_path / "requirements.txt",
        tmp_path / "pyproject.toml",
    )


@pytest.mark.parametrize("words", [["-r"], ["-x foo"], ["--index-url=x"], ["-r 'a"], [""], ["none.whl"], ["a b"]])
def test_what_pip_would_not_take_is_refused(words: list[str]) -> None:
    with pytest.raises(UpgradeError):
        Installs.of(words)


def test_environments_are_made_of_this_python_or_of_one_that_is_named(tmp_path: Path) -> None:
    assert requirements.base_python(None) == sys.executable
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert requirements.base_python(str(link)) == str(link)
    with pytest.raises(UpgradeError, match="there is no such interpreter"):
        requirements.base_python("/no/such/python")
