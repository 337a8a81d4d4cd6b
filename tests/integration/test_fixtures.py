"""The fixtures `tfkernel`, `tfkernel_factory`, `tfkernel_spec` and the marker, in tests of a user."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inner import Inner, counts
from pytest_tfkernel._child import proc

# Kernels without TensorFlow, which start at once.
LIGHT = """\
import dataclasses
import pytest
from pytest_tfkernel import ForkServer

pytestmark = pytest.mark.tfkernel(provisioner=ForkServer(preload=()))

"""


@pytest.fixture(scope="module")
def good_inner(make_inner: Callable[[], Inner]) -> Inner:
    inner = make_inner()
    inner.write("pytest.ini", "[pytest]\npythonpath = src\naddopts = --strict-markers -W error\n")
    inner.write("src/library.py", "name = 'library'\n")
    inner.write("sub/neighbour.py", "name = 'neighbour'\n")
    inner.write("sub/test_good.py", LIGHT + GOOD)
    inner.write("sub/test_overridden.py", LIGHT + OVERRIDDEN)
    return inner


GOOD = """
import os
import signal
from pathlib import Path

from pytest_tfkernel import KernelDied, KernelSpec

def test_kernel_runs(tfkernel):
    assert tfkernel.execute("1 + 1").value == 2
    assert tfkernel.pid != os.getpid()
    Path(__file__).with_name("first.txt").write_text(str(tfkernel.pid))
    tfkernel.execute("leaked = 1")

def test_kernels_are_not_shared_between_tests(tfkernel):
    first = int(Path(__file__).with_name("first.txt").read_text())
    assert tfkernel.pid != first
    assert not Path(f"/proc/{first}").exists()
    assert tfkernel.execute("leaked").error.type == "NameError"

def test_kernel_is_killed_and_restarted(tfkernel):
    outcome = tfkernel.inject("sigkill")
    assert outcome.post_mortem.exit_status.signal == signal.SIGKILL
    tfkernel.restart()
    assert tfkernel.generation == 2
    assert tfkernel.execute("1").ok

def test_module_beside_the_file_is_found(tfkernel):
    assert tfkernel.execute("import neighbour; neighbour.name").value == "neighbour"

def test_pythonpath_of_pytest_is_there(tfkernel):
    assert tfkernel.execute("import library; library.name").value == "library"

def test_folder_is_that_of_the_root(tfkernel, request):
    assert tfkernel.execute("import os; os.getcwd()").value == str(request.config.rootpath)

def test_function_of_this_file_is_sent(tfkernel):
    def inner(number):
        return number + 1
    assert tfkernel.call(inner, 41) == 42

def test_factory_makes_kernels_of_one_spec(tfkernel_factory):
    one, two = tfkernel_factory(), tfkernel_factory()
    one.execute("mine = 1")
    assert one.pid != two.pid
    assert two.execute("mine").error.type == "NameError"

def test_factory_changes_fields(tfkernel_factory):
    kernel = tfkernel_factory(environment={"COLOUR": "blue"})
    assert kernel.execute("import os; os.environ['COLOUR']").value == "blue"

def test_factory_takes_a_spec(tfkernel_factory):
    kernel = tfkernel_factory(KernelSpec(provisioner="subprocess", startup="ready = True"))
    assert kernel.execute("ready").value is True

def test_factory_can_be_asked_for_beside_the_kernel(tfkernel, tfkernel_factory):
    assert tfkernel.pid != tfkernel_factory().pid

@pytest.mark.tfkernel(provisioner="subprocess", environment={"COLOUR": "red"})
def test_marker_of_a_test_adds_to_that_of_the_file(tfkernel):
    assert tfkernel.spec.provisioner == "subprocess"
    assert tfkernel.execute("import os; os.environ['COLOUR']").value == "red"

@pytest.mark.tfkernel(timeout=7)
def test_markers_of_a_file_and_of_a_test_both_count(tfkernel_spec):
    assert (tfkernel_spec.provisioner, tfkernel_spec.timeout) == (ForkServer(preload=()), 7)

@pytest.mark.tfkernel(timeout=0.2)
def test_hung_cell_is_told_with_its_stack(tfkernel):
    with pytest.raises(KernelDied, match="no reply for 0.2 s"):
        tfkernel.execute("import signal; signal.pause()")

class TestClass:
    @pytest.mark.parametrize("number", [1, 2])
    def test_methods_and_parameters_work(self, tfkernel, number):
        assert tfkernel.execute(str(number)).value == number
"""

OVERRIDDEN = """
@pytest.fixture
def tfkernel_spec(tfkernel_spec):
    return dataclasses.replace(tfkernel_spec, provisioner="subprocess", environment={"COLOUR": "green"})

def test_override_is_used(tfkernel):
    assert tfkernel.spec.provisioner == "subprocess"
    assert tfkernel.execute("import os; os.environ['COLOUR']").value == "green"

@pytest.mark.tfkernel(timeout=5)
def test_marker_reaches_the_spec_that_is_overridden(tfkernel):
    assert tfkernel.spec.timeout == 5
    assert tfkernel.spec.provisioner == "subprocess"
"""
GOOD_TESTS = 18


def test_all_that_the_documentation_promises(good_inner: Inner) -> None:
    result = good_inner.run()
    assert (result.ret, counts(result)) == (0, {"passed": GOOD_TESTS})


def test_all_of_it_over_workers(good_inner: Inner) -> None:
    pytest.importorskip("xdist")
    result = good_inner.run("-n", "2", "--dist", "loadfile")
    assert (result.ret, counts(result)) == (0, {"passed": GOOD_TESTS})


def test_all_of_it_from_another_folder_and_by_importlib(good_inner: Inner) -> None:
    result = good_inner.run("--import-mode=importlib", "--rootdir", ".", "-p", "no:cacheprovider", "sub")
    assert (result.ret, counts(result)) == (0, {"passed": GOOD_TESTS})


LEAKS = '''
DAEMON = """
import os, signal
pid = os.fork()
if pid == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
pid
"""

def test_leaks(tfkernel):
    with open("leaked.txt", "w") as file:
        file.write(str(tfkernel.execute(DAEMON).value))

def test_is_innocent(tfkernel):
    pass
'''


def test_leftover_process_fails_its_test_by_name_and_is_ended(inner: Inner) -> None:
    inner.write("test_mine.py", LIGHT + LEAKS)
    result = inner.run()
    assert counts(result) == {"passed": 2, "errors": 1}
    leaked = int((inner.folder / "leaked.txt").read_text())
    result.stdout.fnmatch_lines([f"test_mine.py::test_leaks left running (ended now): process {leaked} (*"])
    assert proc.start_time(leaked) is None
    result.stdout.no_fnmatch_line("*fixtures.py*")


BAD = """
from pytest_tfkernel import KernelSpec

@pytest.mark.tfkernel(colour="blue")
def test_unknown_field(tfkernel): pass

@pytest.mark.tfkernel(provisioner="docker")
def test_unknown_provisioner(tfkernel): pass

@pytest.mark.tfkernel(preload=("json",))
def test_old_spelling(tfkernel): pass

@pytest.mark.tfkernel(python="/no/such/python")
def test_no_interpreter(tfkernel): pass

@pytest.mark.tfkernel(folder="/no/such/folder")
def test_no_folder(tfkernel): pass

@pytest.mark.tfkernel(timeout=-1)
def test_negative(tfkernel): pass

@pytest.mark.tfkernel(provisioner=ForkServer(preload=("no_such_module",)))
def test_no_module(tfkernel): pass

@pytest.mark.tfkernel(startup="1/0")
def test_startup(tfkernel): pass

@pytest.mark.tfkernel("subprocess")
def test_positional(tfkernel): pass
"""


@pytest.fixture(scope="module")
def bad(make_inner: Callable[[], Inner]) -> pytest.RunResult:
    inner = make_inner()
    inner.write("test_bad.py", LIGHT + BAD)
    return inner.run("-rE")


class TestBadSpecs:
    @pytest.mark.parametrize(
        ("test", "said"),
        [
            ("test_unknown_field", "takes no colour"),
            ("test_unknown_provisioner", "docker"),
            ("test_old_spelling", "the marker tfkernel: preload=('json',) is not a field of a spec but a parameter of"),
            ("test_no_interpreter", "/no/such/python"),
            ("test_no_folder", "/no/such/folder"),
            ("test_negative", "timeout"),
            ("test_no_module", "no_such_module"),
            ("test_startup", "ZeroDivisionError"),
            ("test_positional", "takes no 'subprocess'"),
        ],
    )
    def test_is_told_in_a_line(self, bad: pytest.RunResult, test: str, said: str) -> None:
        lines = bad.outlines
        start = next(number for number, line in enumerate(lines) if line.strip("_ ") == f"ERROR at setup of {test}")
        assert said in lines[start + 1]

    def test_each_is_an_error_of_its_test_alone(self, bad: pytest.RunResult) -> None:
        assert counts(bad) == {"errors": 9}

    def test_no_traceback_is_ours(self, bad: pytest.RunResult) -> None:
        assert not [line for line in bad.outlines if "pytest_tfkernel/" in line and ".py:" in line]


def test_kernel_that_dies_shows_the_line_of_the_test_and_none_of_ours(inner: Inner) -> None:
    inner.write("test_mine.py", LIGHT + "def test_mine(tfkernel):\n    tfkernel.execute('import os; os._exit(3)')\n")
    result = inner.run()
    assert counts(result) == {"failed": 1}
    result.stdout.fnmatch_lines([">*tfkernel.execute('import os; os._exit(3)')", "E*died after * of exit code 3 *"])
    assert not [line for line in result.outlines if "pytest_tfkernel/" in line and ".py:" in line]


TYPOS = (
    ('tfkernel.inject("sigkill", phase="idel")', "FaultError: phase 'idel' is unknown: choose from idle, importing"),
    ('tfkernel.inject("sigkill", phase=3)', "FaultError: phase 3 is unknown: choose from idle"),
    ('tfkernel.inject("sigkil")', "FaultError: fault 'sigkil' is unknown: choose from sigkill"),
    ("tfkernel.inject(9)", "FaultError: fault 9 is unknown: choose from sigkill"),
    ('tfkernel.inject("exit", phase="running")', "FaultError: exit strikes through a cell"),
    ('tfkernel.inject("sigkill", timeout="x")', "ValueError: timeout='x' must be seconds above 0"),
    ('tfkernel.execute("1", timeout=-1)', "ValueError: timeout=-1 must be seconds above 0"),
    ("tfkernel.execute(1)", "TypeError: a cell must be a string, not int"),
    ('tfkernel_factory(provisoner="forkserver")', "SpecError: a KernelSpec has no provisoner: give by name some of"),
    ('tfkernel_factory(provisioner="forkservr")', "SpecError: provisioner='forkservr' is unknown"),
    ('tfkernel_factory(memory_limit="much")', "SpecError: memory_limit='much' must be a whole number"),
    ('tfkernel_factory(timeout="x")', "SpecError: timeout='x' must be"),
    ("ExitStatus()", "ValueError: an exit status is a code or a signal"),
)


def test_typos_show_the_line_of_the_test_and_one_of_the_error(inner: Inner) -> None:
    inner.write(
        "test_mine.py",
        LIGHT
        + "from pytest_tfkernel import ExitStatus\n"
        + "".join(
            f"\ndef test_{number}(tfkernel_module, tfkernel_factory):\n    tfkernel = tfkernel_module\n    {call}\n"
            for number, (call, _) in enumerate(TYPOS)
        ),
    )
    result = inner.run()
    assert counts(result) == {"failed": len(TYPOS)}
    shown = [line for line in result.outlines if line.startswith(("E  ", ">"))]
    assert len(shown) == 2 * len(TYPOS)
    for (call, said), line, error in zip(TYPOS, shown[::2], shown[1::2], strict=True):
        assert line.endswith(call)
        assert said in error
    assert not [line for line in result.outlines if "pytest_tfkernel/" in line and ".py:" in line]


def test_an_old_spelling_shows_the_line_of_the_test_and_nothing_else(inner: Inner) -> None:
    inner.write("test_mine.py", "def test_mine(tfkernel_factory):\n    tfkernel_factory(kernelspec='mine')\n")
    result = inner.run()
    assert counts(result) == {"failed": 1}
    shown = [line for line in result.outlines if line.startswith(("E", ">"))]
    assert shown[0].endswith("tfkernel_factory(kernelspec='mine')")
    assert shown[1].endswith("write provisioner=Jupyter(kernelspec='mine')")
    assert not [line for line in result.outlines if "dataclasses" in line]


def test_fixtures_explain_themselves(inner: Inner) -> None:
    text = " ".join(inner.run("--fixtures").stdout.str().split())
    for name, said in (
        ("tfkernel", "A running kernel of `tfkernel_spec`"),
        ("tfkernel_factory", "Makes kernels:"),
        ("tfkernel_spec", "The kernel spec of this test; override this fixture"),
    ):
        assert f"{name} -- " in text
        assert said in text


def test_marker_explains_itself(inner: Inner) -> None:
    inner.run("--markers").stdout.fnmatch_lines(["@pytest.mark.tfkernel(*fields): change fields of the kernel spec*"])


def test_interrupt_is_an_interrupt_also_where_a_kernel_left_something_running(inner: Inner) -> None:
    inner.write(
        "test_mine.py",
        """
import os, pytest, signal
from pytest_tfkernel import ForkServer

@pytest.mark.tfkernel(provisioner=ForkServer(preload=()))
def test_mine(tfkernel):
    tfkernel.execute("import subprocess; left = subprocess.Popen(['setsid', 'sleep', '60'])")
    os.kill(os.getpid(), signal.SIGINT)
""",
    )
    result = inner.run("--tfkernel-report=run.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*left running (ended now): process * (sleep 60)*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert (inner.folder / "run.json.incomplete").exists()


GENERATIONS = """
import pytest
from pytest_tfkernel import ForkServer

@pytest.mark.parametrize("end", ["restart", "sigkill"])
@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
def test_mine(tfkernel_factory, provisioner, end):
    kernel = tfkernel_factory(provisioner=ForkServer(preload=()) if provisioner == "forkserver" else provisioner)
    first = kernel.pid
    kernel.execute("import subprocess; subprocess.Popen(['setsid', 'sleep', '61'])")
    if end == "sigkill":
        kernel.inject("sigkill")
    kernel.restart()
    second = kernel.pid
    left = kernel.execute("import subprocess; subprocess.Popen(['setsid', 'sleep', '62']).pid").value
    with open("pids.txt", "a") as file:
        print(first, second, file=file)
"""


def test_leftover_process_is_told_with_the_generation_that_started_it(inner: Inner) -> None:
    inner.write("test_mine.py", GENERATIONS)
    result = inner.run()
    assert counts(result) == {"passed": 4, "errors": 4}
    for line in (inner.folder / "pids.txt").read_text().splitlines():
        first, second = line.split()
        assert first != second
        told = f"*(sleep 61), started by kernel {first}; process * (sleep 62), started by kernel {second}"
        result.stdout.fnmatch_lines_random([told])
