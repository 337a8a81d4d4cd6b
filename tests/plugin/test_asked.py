"""What was asked for, of the command line and of ini files."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_tfkernel.plugin.asked import Options, options_of

LISTS = ("python", "provisioner", "require", "allow", "report", "fail-on")
DEFAULTS: dict[str, Any] = {
    "size": "standard",
    "kernelspec": "",
    "expect": "",
    "known": "",
    "gate": "off",
    "isolate": "off",
    "gate_known": [],
    "save": "",
}


class Config:
    """Stands for pytest's; `given` are our options without their prefix, `ini` ini values."""

    def __init__(self, given: dict[str, Any], ini: dict[str, Any], *args: str, inipath: Path | None = None) -> None:
        self._given, self._ini = given, ini
        self.args = list(args)
        self.stash = pytest.Stash()
        self.option = SimpleNamespace(tfkernel_isolate=given.get("isolate"))
        self.inipath = inipath
        self.rootpath = Path("/root")

    def getoption(self, name: str) -> Any:
        if name == "--tfkernel":
            return self._given.get("suite", False)
        short = name.removeprefix("--").removeprefix("tfkernel").lstrip("-_")
        return self._given.get(short, [] if short in LISTS else None)

    def getini(self, name: str) -> Any:
        short = name.removeprefix("tfkernel_")
        return self._ini.get(short, DEFAULTS.get(short, []))


def asked(*args: str, ini: dict[str, Any] | None = None, inipath: Path | None = None, **given: Any) -> Options:
    options = {name.replace("_", "-"): value for name, value in given.items()}
    return options_of(cast("pytest.Config", Config(options, ini or {}, *args, inipath=inipath)))


def test_of_nothing_it_is_the_default() -> None:
    assert asked("tests") == Options(
        suite=False,
        selected=(),
        size="standard",
        pythons=(sys.executable,),
        kernelspec=None,
        provisioners=(),
        require=(),
        allow=(),
        reports=(),
        save=None,
        root=Path("/root"),
        compare=None,
        fail_on=(),
        expect=None,
        known=None,
        gate="off",
        gate_known=(),
        isolate="off",
    )


def test_pasted_ids_ask_for_the_suite_and_are_no_paths() -> None:
    config = Config({}, {}, "tests", "tfkernel::a[b]", "tfkernel::c[d]")
    found = options_of(cast("pytest.Config", config))
    assert (found.suite, found.selected, config.args) == (True, ("tfkernel::a[b]", "tfkernel::c[d]"), ["tests"])
    # It is read once.
    assert options_of(cast("pytest.Config", config)) is found


@pytest.mark.parametrize("where", ["option", "ini"])
def test_the_command_line_or_an_ini_file_may_say_it(where: str) -> None:
    said: dict[str, Any] = {"require": ["gpu", "gpu", "oom-kill"], "size": "smoke", "gate": "warn"}
    found = asked(**said) if where == "option" else asked(ini=said)
    assert (found.require, found.size, found.gate) == (("gpu", "oom-kill"), "smoke", "warn")


def test_the_command_line_wins() -> None:
    found = asked(ini={"size": "full", "allow": ["oom-gpu"], "gate": "fail"}, size="smoke", allow=["x"], gate="off")
    assert (found.size, found.allow, found.gate) == ("smoke", ("x",), "off")


class TestPaths:
    def test_of_an_ini_file_are_beside_it_and_others_are_as_they_are(self, tmp_path: Path) -> None:
        ini = {"report": ["run.json", "runs/"], "python": ["python3", "venv/bin/python"]}
        found = asked(ini=ini, inipath=tmp_path / "pytest.ini")
        assert found.reports == (str(tmp_path / "run.json"), f"{tmp_path}/runs/")
        # A name is looked for on PATH.
        assert found.pythons == ("python3", str(tmp_path / "venv/bin/python"))
        found = asked(ini=ini, inipath=tmp_path / "pytest.ini", report=["mine.json"])
        assert found.reports == ("mine.json",)

    def test_of_a_user_that_is_not_there_are_names(self, tmp_path: Path) -> None:
        found = asked(ini={"report": ["~of-nobody-here/run.json"]}, inipath=tmp_path / "pytest.ini")
        assert found.reports == (str(tmp_path / "~of-nobody-here/run.json"),)

    def test_of_expectations_in_an_ini_file_are_for_runs_that_are_compared(self, tmp_path: Path) -> None:
        ini, inipath = {"expect": "known.toml", "fail_on": ["leak"]}, tmp_path / "pytest.ini"
        found = asked(ini=ini, inipath=inipath)
        assert (found.expect, found.fail_on) == (None, ())
        found = asked(ini=ini, inipath=inipath, compare="ref.json")
        assert (found.expect, found.fail_on) == (str(tmp_path / "known.toml"), ("leak",))
        assert asked(expect="mine.toml").expect == "mine.toml"

    def test_of_known_defects_in_an_ini_file_are_for_runs_of_the_suite(self, tmp_path: Path) -> None:
        ini, inipath = {"known": "known.json"}, tmp_path / "pytest.ini"
        assert asked(ini=ini, inipath=inipath).known is None
        assert asked(ini=ini, inipath=inipath, suite=True).known == str(tmp_path / "known.json")
        assert asked(known="known.json", isolate="inside").known is None
        # A worker may have another folder by then.
        assert asked(ini=ini, inipath=inipath, suite=True, known="my.json").known == str(Path.cwd() / "my.json")


class TestAKernelspec:
    def test_is_for_jupyter(self) -> None:
        assert asked(kernelspec="mine", python=["/py"]).provisioners == ("jupyter",)
        assert asked(kernelspec="mine", python=["/py"], provisioner=["jupyter"]).provisioners == ("jupyter",)
        with pytest.raises(
            pytest.UsageError, match="^--tfkernel-kernelspec=mine is for provisioner jupyter, not spyder"
        ):
            asked(kernelspec="mine", python=["/py"], provisioner=["spyder"])

    def test_runs_one_interpreter_which_it_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pytest_tfkernel.kernels.specs.kernelspecs.interpreter_of", lambda name: f"/of/{name}")
        assert asked(kernelspec="mine").pythons == ("/of/mine",)
        assert asked(ini={"kernelspec": "ours"}).pythons == ("/of/ours",)
        with pytest.raises(pytest.UsageError, match="runs one interpreter: leave --tfkernel-python out"):
            asked(kernelspec="mine", python=["/a", "/b"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kernelspec": ""}, "--tfkernel-kernelspec= is empty: give a name, or leave it out"),
        ({"compare": ""}, "--tfkernel-compare= is empty"),
        ({"expect": ""}, "--tfkernel-expect= is empty"),
        ({"known": ""}, "--tfkernel-known= is empty"),
        ({"known": "mine.json"}, "--tfkernel-known is about the suite: add --tfkernel"),
        ({"python": [""]}, "--tfkernel-python= is empty: give a path, or leave it out"),
        ({"size": "huge"}, "tfkernel_size = huge: unknown; choose from smoke, standard, full"),
        ({"gate": "maybe"}, "tfkernel_gate = maybe: unknown; choose from fail, warn, off"),
    ],
)
def test_what_means_nothing_is_refused_in_a_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"^{words}"):
        asked(**given)
