"""What a failed test tells of its kernels, and kernels that several tests share."""

from __future__ import annotations

import re

import pytest

from inner import Inner, counts

TESTS = """
import os
import signal

import pytest
from pytest_tfkernel import ForkServer, KernelSpec

pytestmark = pytest.mark.tfkernel(provisioner=ForkServer(preload=()))
LIGHT = KernelSpec(provisioner=ForkServer(preload=()))

def test_typo(tfkernel):
    tfkernel.execute("print('printed by one')")
    tfkernel.execute("trainr.fit()")
    assert tfkernel.execute("1").value == 2

def test_checked(tfkernel):
    tfkernel.execute("trainr.fit()", check=True)

def test_died_while_nobody_asked(tfkernel):
    os.kill(tfkernel.pid, signal.SIGKILL)
    tfkernel.life.wait(30, channel=False)
    assert tfkernel.is_alive

def test_died_in_a_cell(tfkernel):
    tfkernel.execute("import os; os._exit(3)")

def test_without_a_traceback(tfkernel):
    tfkernel.execute("x = 'seen without one'")
    pytest.fail("as it is", pytrace=False)

@pytest.fixture
def ready(tfkernel):
    tfkernel.execute("1 / 0", check=True)

def test_set_up(ready):
    pass

@pytest.fixture(scope="module")
def trained(tfkernel_module):
    tfkernel_module.execute("step = 3", check=True)
    return tfkernel_module

def test_shares_the_kernel_of_its_file(trained):
    assert trained.execute("step").value == 3

def test_shares_it_too(trained):
    assert trained.execute("step += 1\\nstep").value == 5

def test_asks_nothing(trained):
    assert trained is None

@pytest.fixture(scope="class")
def two(tfkernel_session_factory):
    return tfkernel_session_factory(LIGHT), tfkernel_session_factory(provisioner=LIGHT.provisioner)

class TestWide:
    def test_factory_of_any_scope(self, two):
        assert two[0].pid != two[1].pid
        two[0].execute("mine = 1", check=True)

    def test_kernels_stay(self, two):
        assert two[0].execute("mine", check=True).value == 1

def test_own_spec_finds_what_the_test_finds(tfkernel_factory):
    assert tfkernel_factory(LIGHT).execute("import beside; beside.name", check=True).value == "beside"
"""


@pytest.fixture
def told(inner: Inner) -> Inner:
    inner.write("sub/test_mine.py", TESTS)
    inner.write("sub/beside.py", "name = 'beside'\n")
    return inner


def test_a_failed_test_tells_of_its_kernels(told: Inner) -> None:
    result = told.run("--junit-xml=junit.xml", "-o", "junit_logging=no")
    assert counts(result) == {"failed": 7, "errors": 1, "passed": 4}
    document = (told.folder / "junit.xml").read_text(encoding="utf-8")
    for text in (result.stdout.str(), document):
        assert re.search(r"\[1\] print\('printed by one'\)\nprinted by one\n\[2\] trainr.fit\(\)\nTraceback", text)
        assert "seen without one" in text.partition("test_without_a_traceback")[2]
        assert re.search(r"generation 1, dead -+\nkernel \d+ died after .* of SIGKILL", text)
        # A shared kernel: with the cells of those before, and only where it was asked something.
        assert text.count("[1] step = 3") == 1
        assert "[1] 1 / 0" in text
        # What the error itself tells isn't told again.
        assert not re.search(r"^kernel \d+ died after .* of exit code 3", text, re.MULTILINE)
    result.stdout.fnmatch_lines(["E*CellRaisedError: the cell raised NameError: name 'trainr' is not defined"])
    result.stdout.no_fnmatch_line("*plugin/telling*")


def test_all_of_it_isolated_and_over_workers_and_under_the_gate(told: Inner) -> None:
    for words in (["--tfkernel-isolate"], ["-n", "2", "--dist", "loadfile"], ["--tfkernel-gate"]):
        result = told.run(*words)
        assert counts(result) == {"failed": 7, "errors": 1, "passed": 4}, words
        result.stdout.fnmatch_lines(["*Kernel *: forkserver, generation 1, running*", "[[]2[]] trainr.fit()"])
