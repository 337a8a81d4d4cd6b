"""A real console of Spyder's runs files and their cells, as its users do with F5 and Ctrl+Return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hosted_kernels
from hosted_kernels import QUICK, SPYDER
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Spyder

StartKernel = Callable[..., Kernel]

_EXAMPLE = """\
#%% build
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
my_variable = tf.compat.v1.get_variable("v", initializer=1.0, use_resource=True)
session = tf.compat.v1.Session()
session.run(tf.compat.v1.global_variables_initializer())
#%% assign
session.run(my_variable.assign(my_variable + 1.0))
print("assigned", session.run(my_variable))
"""


@pytest.fixture(scope="module", autouse=True)
def silent_hosts() -> Iterator[list[str]]:
    yield from hosted_kernels.silent_hosts()


@pytest.fixture(scope="module")
def python(launcher: Launcher) -> str:
    return SPYDER.python(launcher)


@pytest.fixture(scope="module")
def console(silent_hosts: list[str], launcher: Launcher, python: str) -> Iterator[Kernel]:
    """One for all that leave it alive."""
    spec = KernelSpec(provisioner="spyder", python=python, environment=SPYDER.environment, **QUICK)  # type: ignore[arg-type]
    kernel = launcher.start(spec)
    yield kernel
    kernel.shutdown()
    assert kernel.generation == 1


def test_a_file_runs_in_the_console_and_leaves_its_names_there(console: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("#%% one\nx = 1\nprint('one')\n#%% two\nx += 1\nprint('two', __file__ and x)\n", encoding="utf-8")
    reply = console.execute(f"%runfile {path} --wdir")
    assert reply.error is None
    assert reply.stdout.split() == ["one", "two", "2"]
    assert console.execute("x").value == 2


def test_a_cell_of_a_file_is_asked_from_spyders_editor_which_is_not_there(console: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("#%% one\nx = 1\n", encoding="utf-8")
    assert "trying to get the cell code from Spyder's editor" in console.execute(f"%runcell -n one {path}").stdout
    assert console.execute("1").value == 1


def test_an_error_in_a_file_leaves_the_console_alive(console: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("y = 1\n[][y]\n", encoding="utf-8")
    reply = console.execute(f"%runfile {path}")
    # Spyder shows the error itself, and the magic ends well.
    assert str(reply.error) == "IndexError: list index out of range"
    assert reply.error is not None
    assert "[][y]" in reply.error.traceback
    assert console.execute("y").value == 1


def test_the_example_of_tensorflow_survives_between_cells_and_not_the_process(
    start: StartKernel, python: str, tensorflow_python: str, tmp_path: Path
) -> None:
    path = tmp_path / "example.py"
    path.write_text(_EXAMPLE, encoding="utf-8")
    # TensorFlow warns while it is imported.
    environment = {**SPYDER.environment, "PYTHONWARNINGS": None}
    quick = Spyder(restart_poll=0.1)
    kernel = start(provisioner=quick, python=python, timeout=120.0, environment=environment)
    assert "assigned 2.0" in kernel.execute(f"%runfile {path} --wdir").stdout
    assert "assigned 3.0" in kernel.execute(_EXAMPLE[_EXAMPLE.index("#%% assign") :]).stdout
    kernel.inject("sigkill")
    kernel.restart(asked=False)
    # That it imports TensorFlow again is what the scenario of imports plays.
    assert str(kernel.execute("session").error).startswith("NameError")
