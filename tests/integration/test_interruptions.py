"""A test that is cut short costs no other test its kernel: by pytest-timeout, a signal handler, Ctrl-C or pytest.exit."""

from __future__ import annotations

import pytest

from inner import Inner, counts

# What a test does first, so that it is cut short while a kernel starts, and how the first of them ends. An alarm
# strikes in a preload, which goes on when the file is there that the second test makes.
_PRELOAD = """
import os, pathlib, signal, time
os.kill(int(pathlib.Path(FOLDER, 'runner').read_text()), NUMBER)
while not pathlib.Path(FOLDER, 'go').exists():
    time.sleep(0.01)
"""
_TESTS = """
import os, pathlib, signal
import pytest

class Cut(Exception):
    pass

def raise_cut(*_):
    raise Cut

signal.signal(signal.SIGUSR1, raise_cut)

@pytest.fixture
def tfkernel_spec(tfkernel_spec):
    import dataclasses
    from pytest_tfkernel import ForkServer
    return dataclasses.replace(tfkernel_spec, provisioner=ForkServer(preload=("slow_preload",)), start_timeout=60)

@pytest.mark.parametrize("number", range(4))
def test_kernel(tfkernel_factory, number):
    if number:
        pathlib.Path("go").touch()
    kernel = tfkernel_factory()
    assert kernel.execute("import os; os.getpid()").value == kernel.pid
    assert kernel.inject("sigkill").post_mortem.exit_status.signal == 9
    kernel.restart()
    assert kernel.execute(str(number)).value == number
"""


def _write(inner: Inner, number: str) -> None:
    inner.write("slow_preload.py", _PRELOAD.replace("FOLDER", repr(str(inner.folder))).replace("NUMBER", number))
    inner.write("conftest.py", "import os, pathlib\npathlib.Path('runner').write_text(str(os.getpid()))")
    inner.write("test_it.py", _TESTS)


def test_a_handler_that_raises_costs_the_test_that_it_strikes(inner: Inner) -> None:
    _write(inner, "signal.SIGUSR1")
    result = inner.run()
    assert counts(result) == {"passed": 3, "failed": 1}
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_kernel[[]0[]] - test_it.Cut"])


def test_pytest_timeout_costs_the_test_that_it_strikes(inner: Inner) -> None:
    # Its alarm comes when the preload says so, and not when a time has passed.
    _write(inner, "signal.SIGALRM")
    result = inner.run("--timeout=200", "--timeout-method=signal")
    assert counts(result) == {"passed": 3, "failed": 1}
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_kernel[[]0[]] - Failed: Timeout*"])


@pytest.mark.parametrize("number", ["signal.SIGINT"])
def test_ctrl_c_ends_the_session_in_order(inner: Inner, number: str) -> None:
    _write(inner, number)
    result = inner.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in result.stderr.str()


def test_pytest_exit_in_a_fixture_ends_the_session_in_order(inner: Inner) -> None:
    inner.write(
        "test_exit.py",
        """
import pytest
from pytest_tfkernel import ForkServer

@pytest.fixture
def leaving(tfkernel_factory):
    kernel = tfkernel_factory(provisioner=ForkServer(preload=()))
    kernel.execute_marked("_tfkernel_mark('in')\\nimport time; time.sleep(60)", lambda _: pytest.exit("enough"))

def test_it(leaving):
    pass
""",
    )
    result = inner.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*Exit: enough*"])


@pytest.mark.parametrize("name", ["timeout", "pytest_timeout"])
def test_our_items_have_no_timeout_whatever_the_name_of_its_plugin(inner: Inner, name: str) -> None:
    inner.write(
        "conftest.py",
        """
def pytest_collection_modifyitems(items):
    print([item.get_closest_marker("timeout").args for item in items][0])
""",
    )
    # As where plugins are not loaded by themselves.
    ours = ("-p", "pytest_tfkernel.plugin.hooks")
    plugins = ours if name == "timeout" else (*ours, "-p", "pytest_timeout")
    switched = {} if name == "timeout" else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    arguments = () if name == "timeout" else plugins
    result = inner.run(
        *arguments, "--tfkernel", "--tfkernel-size=smoke", "--collect-only", "-q", "--timeout=1", ".", **switched
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*(0,)*"])
