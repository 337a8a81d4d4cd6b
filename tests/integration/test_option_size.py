"""`--tfkernel-size` and its ini value."""

from __future__ import annotations

from inner import Inner, counts
from pytest_tfkernel.plugin.suite.collection import pairs
from pytest_tfkernel.suite.sizes import SIZES


def test_each_size_runs_its_items(canned: Inner) -> None:
    for size in SIZES:
        result = canned.run("--tfkernel", f"--tfkernel-size={size}")
        assert sum(counts(result).values()) == len(list(pairs(size)))


def test_standard_is_the_default(canned: Inner) -> None:
    assert sum(counts(canned.run("--tfkernel")).values()) == len(list(pairs("standard")))


def test_ini_value_holds_until_the_option_is_given(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_size = smoke\n")
    assert sum(counts(canned.run("--tfkernel")).values()) == len(list(pairs("smoke")))
    assert sum(counts(canned.run("--tfkernel", "--tfkernel-size=standard")).values()) == len(list(pairs("standard")))


def test_an_unknown_size_is_one_line(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=huge")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--tfkernel-size: invalid choice: 'huge' (choose from*smoke*standard*full*)"])


def test_an_unknown_size_in_the_ini_file_is_one_line(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_size = huge\n")
    result = canned.run("--tfkernel")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: tfkernel_size = huge: unknown; choose from smoke, standard, full"])


def test_a_pasted_id_runs_whatever_the_size(canned: Inner) -> None:
    result = canned.run("--tfkernel-size=smoke", "tfkernel::variable-is-reset[subprocess-variable_assign-sigterm-idle]")
    assert counts(result) == {"passed": 1}
