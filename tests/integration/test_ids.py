"""An id as printed can be pasted back."""

from __future__ import annotations

import pytest

from inner import Inner, counts

ONE = "tfkernel::variable-is-reset[forkserver-variable_assign-sigkill-idle]"
TWO = "tfkernel::starts-blank[subprocess-gpu_matmul-sigkill-idle]"


def test_alone(canned: Inner) -> None:
    canned.write("test_mine.py", "def test_mine(): pass\n")
    result = canned.run(ONE)
    assert (result.ret, counts(result)) == (0, {"passed": 1})
    assert canned.played() == [("main", "forkserver-variable_assign-sigkill-idle")]


def test_several(canned: Inner) -> None:
    assert counts(canned.run(ONE, TWO)) == {"passed": 2}


def test_beside_a_path(canned: Inner) -> None:
    canned.write("test_mine.py", "def test_mine(): pass\n")
    canned.write("test_other.py", "def test_other(): pass\n")
    result = canned.run(ONE, "test_mine.py")
    assert counts(result) == {"passed": 2}


def test_beside_the_option_only_those_are_run(canned: Inner) -> None:
    assert counts(canned.run("--tfkernel", ONE)) == {"passed": 1}


def test_of_a_provisioner_that_the_configuration_leaves_out(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_provisioner = forkserver\n")
    assert counts(canned.run(TWO)) == {"passed": 1}


def test_a_guarantee_alone_is_all_of_it_at_this_size(canned: Inner) -> None:
    bare = "tfkernel::variable-is-reset"
    smoke = canned.run(bare, "--tfkernel-size=smoke", "--collect-only", "-q").stdout.str()
    assert smoke.count(f"{bare}[") >= 1
    assert smoke.count("::") == smoke.count(bare)
    # Beside an id, which is run whatever the size, and over workers.
    result = canned.run(bare, TWO, "--tfkernel-size=smoke", "-n", "2")
    assert counts(result) == {"passed": smoke.count(bare) + (TWO not in smoke)}


def test_a_guarantee_that_has_no_trials_at_this_size(canned: Inner) -> None:
    result = canned.run("tfkernel::checkpoint-outlives", "--tfkernel-size=smoke")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: tfkernel::checkpoint-outlives: size smoke has no trials of it: add --tfkernel-size=full"]
    )


def test_over_workers(canned: Inner) -> None:
    assert counts(canned.run(ONE, TWO, "-n", "2")) == {"passed": 2}


@pytest.mark.parametrize(
    "unknown",
    ["tfkernel::variable-is-reset[forkserver-graph_add-sigkill-idle]", "tfkernel::nonsense", "tfkernel::"],
)
@pytest.mark.parametrize("beside", [(), ("--tfkernel",), (ONE,)], ids=["alone", "tfkernel", "beside"])
def test_unknown_is_one_clear_error(canned: Inner, unknown: str, beside: tuple[str, ...]) -> None:
    result = canned.run(unknown, *beside)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert (
        line
        == f"ERROR: {unknown}: no such item; `pytest --tfkernel --tfkernel-size=full --collect-only -q` lists them all"
    )
    assert canned.played() == []


def test_deselect_takes_an_id(canned: Inner) -> None:
    assert counts(canned.run(ONE, TWO, "--deselect", ONE)) == {"passed": 1}
