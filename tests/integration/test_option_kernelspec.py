"""`--tfkernel-kernelspec` and its ini value."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from inner import Inner, counts

USES_IT = """
from pytest_tfkernel import Jupyter
def test_mine(tfkernel):
    assert tfkernel.spec.provisioner == Jupyter(kernelspec="mine")
    assert tfkernel.execute("import os; os.environ['OF_THE_SPEC']").value == "yes"
"""


@pytest.fixture
def installed(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernelspec named `mine`."""
    pytest.importorskip("ipykernel")
    folder = inner.folder / "share" / "kernels" / "mine"
    folder.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Mine",
        "language": "python",
        "env": {"OF_THE_SPEC": "yes"},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(folder.parent.parent))
    return folder


def _error(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    return line


def test_one_that_is_not_installed_is_one_clear_error(inner: Inner, installed: Path) -> None:
    line = _error(inner.run("--tfkernel", "--tfkernel-kernelspec=nonesuch"))
    assert line.startswith("ERROR: --tfkernel-kernelspec: kernelspec='nonesuch' is not installed; `jupyter kernelspec")
    assert "mine" in line


def test_one_that_runs_no_python_is_one_clear_error(inner: Inner, installed: Path) -> None:
    (installed / "kernel.json").write_text(json.dumps({"argv": ["/bin/cat"], "display_name": "", "language": "bash"}))
    line = _error(inner.run("--tfkernel", "--tfkernel-kernelspec=mine"))
    assert line.startswith("ERROR: --tfkernel-kernelspec=mine: python='/bin/cat' is not a Python interpreter")


@pytest.mark.parametrize("text", ["", "{", '{"argv": []}'])
def test_one_that_cannot_be_read_is_one_clear_error(inner: Inner, installed: Path, text: str) -> None:
    (installed / "kernel.json").write_text(text)
    assert "kernelspec='mine'" in _error(inner.run("--tfkernel", "--tfkernel-kernelspec=mine"))


def test_empty_name_is_an_error_and_not_the_default(inner: Inner) -> None:
    line = _error(inner.run("--tfkernel", "--tfkernel-kernelspec="))
    assert line == "ERROR: --tfkernel-kernelspec= is empty: give a name, or leave it out"


def test_another_provisioner_beside_it_is_refused(inner: Inner, installed: Path) -> None:
    line = _error(inner.run("--tfkernel", "--tfkernel-kernelspec=mine", "--tfkernel-provisioner=spyder"))
    assert line == "ERROR: --tfkernel-kernelspec=mine is for provisioner jupyter, not spyder"


def test_suite_runs_on_it_and_on_nothing_else(inner: Inner, installed: Path, tensorflow_python: str) -> None:
    result = inner.run("--tfkernel", "--co", "-q", "--tfkernel-kernelspec=mine")
    settings = {line.partition("[")[2] for line in result.outlines if "[" in line}
    assert {setting.partition("-")[0] for setting in settings} == {"jupyter", "subprocess"}
    assert [one for one in settings if one.startswith("subprocess")] == ["subprocess-planted-leaks-sigkill-idle]"]


def test_is_what_the_fixture_uses(inner: Inner, installed: Path) -> None:
    inner.write("test_mine.py", USES_IT)
    assert counts(inner.run("--tfkernel-kernelspec=mine")) == {"passed": 1}


def test_ini_value_is_used(inner: Inner, installed: Path) -> None:
    inner.write("pytest.ini", "[pytest]\ntfkernel_kernelspec = mine\n")
    inner.write("test_mine.py", USES_IT)
    assert counts(inner.run()) == {"passed": 1}


KEEPS_IT = """
import pytest
from pytest_tfkernel import Jupyter

@pytest.mark.tfkernel(provisioner="jupyter")
def test_marked(tfkernel_spec):
    assert tfkernel_spec.provisioner == Jupyter(kernelspec="mine")

@pytest.mark.tfkernel(provisioner=Jupyter(restart_poll=0.2))
def test_with_a_parameter(tfkernel_spec):
    assert tfkernel_spec.provisioner == Jupyter(kernelspec="mine", restart_poll=0.2)

@pytest.mark.tfkernel(provisioner=Jupyter(kernelspec="other"))
def test_that_names_one_itself(tfkernel_spec):
    assert tfkernel_spec.provisioner == Jupyter(kernelspec="other")

@pytest.mark.tfkernel(provisioner="subprocess")
def test_of_another_provisioner(tfkernel_spec, tfkernel_factory):
    assert tfkernel_spec.provisioner == "subprocess"
    assert tfkernel_factory(provisioner="jupyter").spec.provisioner == Jupyter(kernelspec="mine")
"""


def test_is_that_of_each_jupyter_kernel_which_names_none(inner: Inner, installed: Path) -> None:
    inner.write("test_mine.py", KEEPS_IT)
    assert counts(inner.run("--tfkernel-kernelspec=mine")) == {"passed": 4}
