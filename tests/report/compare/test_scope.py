from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.pairs import Side, pair
from pytest_tfkernel.report.compare.scope import asked_for_other, is_whole, shortfalls, surroundings

DOCUMENT = documents.document()


def other(ref: Sequence[str], changed: Sequence[str]) -> str:
    sides = (Side("", documents.with_options(DOCUMENT, *options)) for options in (ref, changed))
    return asked_for_other(*sides)


def side(document: parts.Document, name: str = "changed.json") -> Side:
    return Side(name, document)


@pytest.mark.parametrize(
    ("ref", "changed"),
    [
        (["--tfkernel"], ["--tfkernel", "--tfkernel-size=smoke"]),
        (["--tfkernel-size=full"], []),
        (["--tfkernel-size", "full"], ["--tfkernel-size", "smoke"]),
        (["--tfkernel", "tests/"], ["tests/"]),
        (["--tfkernel-provisioner=subprocess"], ["--tfkernel-provisioner=forkserver"]),
        ([], ["-k", "one or two"]),
        ([], ["-kone"]),
        (["-kone"], ["-mone"]),
        ([], ["tests/"]),
        ([], ["test_a.py"]),
        (["-m", "slow"], ["-m", "not slow"]),
        ([], ["-x"]),
        ([], ["--lf"]),
        (["tests/a.py"], ["tests/b.py"]),
        ([], ["tfkernel::variable-is-reset[a]"]),
        ([], ["--deselect=tests/a.py::b"]),
    ],
)
def test_runs_that_were_asked_for_different_things(ref: list[str], changed: list[str]) -> None:
    assert other(ref, changed)
    assert other(ref, ref) == other(changed, changed) == ""


@pytest.mark.parametrize(
    ("ref", "changed"),
    [
        (["--tfkernel"], ["--tfkernel", "--tfkernel-size=standard"]),
        (["--tfkernel-python=a/bin/python"], ["--tfkernel-python=b/bin/python"]),
        (["--tfkernel-python", "a/bin/python"], ["--tfkernel-python", "b/bin/python"]),
        ([], ["--tfkernel-known", "lists/known.json"]),
        (["--tfkernel-report", "out/a.json"], ["--tfkernel-report", "out/b.json", "--tfkernel-compare", "out/a.json"]),
        (["-n", "2"], ["-n", "4", "-q", "--tb=short", "-p", "no:cacheprovider"]),
        (["-k", "a", "tests/"], ["tests/", "-k", "a"]),
        (["-k=a"], ["-k", "a"]),
        (["-kabc"], ["-k", "abc"]),
        (["-mabc"], ["-m", "abc"]),
        # It isn't known here, so what is missing counts.
        ([], ["--only-new-things"]),
    ],
)
def test_runs_that_were_asked_for_the_same(ref: list[str], changed: list[str]) -> None:
    assert other(ref, changed) == ""


def test_both_are_named() -> None:
    assert other([], ["--tfkernel-size", "smoke", "-m", "a"]) == (
        "ref was asked for all, changed for --tfkernel-size=smoke -m=a"
    )


def test_a_run_that_was_cut_short_falls_short() -> None:
    said = ["changed.json is incomplete: its run was cut short, and what it didn't run is unknown"]
    # The last two are of nobody's but who changed them by hand.
    for changes in ({"complete": False, "end": None}, {"complete": False}, {"end": None}):
        cut = side(msgspec.structs.replace(DOCUMENT, **changes))
        assert not is_whole(cut)
        assert shortfalls(side(DOCUMENT), cut) == said
    assert len(shortfalls(cut, cut)) == 2


def test_a_run_with_items_that_have_no_report_falls_short() -> None:
    end = parts.End(seconds=1.0, exit_code=2, collected=15, unreported=["test_a.py::b", "test_a.py::c"])
    cut = side(msgspec.structs.replace(DOCUMENT, end=end))
    assert not is_whole(cut)
    assert shortfalls(cut, side(DOCUMENT)) == [
        "changed.json is incomplete: 2 of 15 items that were collected have no report, such as test_a.py::b"
    ]


def test_a_whole_run_does_not() -> None:
    assert is_whole(side(DOCUMENT))
    assert shortfalls(side(DOCUMENT), side(DOCUMENT)) == []


def test_what_else_differs_is_listed() -> None:
    ref = documents.document(tensorflow="2.20.0")
    environment = ref.environment
    machine = msgspec.structs.replace(environment.machine, linux="6.8.0", gpus=["H100"], driver="550.1", cgroup=2)
    packages = {"pytest": "9.3.0", "numpy": "2.0"}
    capabilities = {"oom-kill": "no cgroup"}
    options = ["--tfkernel-gate=warn", "--tfkernel-gate"]
    seen = {"machine": machine, "packages": packages, "capabilities": capabilities, "options": options}
    changed = msgspec.structs.replace(ref, environment=msgspec.structs.replace(environment, **seen))
    sides = (Side("a", ref), Side("b", changed))
    assert surroundings(pair(*sides), *sides) == [
        "Linux: 6.1.0 -> 6.8.0",
        "cgroup: version 1 -> version 2",
        "driver: none -> 550.1",
        "GPUs: none -> H100",
        "--tfkernel-gate: not given -> fail",
        "pytest: 9.2.0 -> 9.3.0",
        "numpy: none -> 2.0",
        "can't check oom-kill: none -> no cgroup",
    ]
    assert surroundings(pair(sides[0], sides[0]), sides[0], sides[0]) == []


def test_memory_is_in_gibibytes() -> None:
    machine = msgspec.structs.replace(documents.MACHINE, memory=3 << 29)
    environment = msgspec.structs.replace(DOCUMENT.environment, machine=machine)
    sides = side(DOCUMENT), side(msgspec.structs.replace(DOCUMENT, environment=environment))
    assert surroundings(pair(*sides), *sides) == ["memory: 24.0 GiB -> 1.5 GiB"]


def test_a_version_counts_to_its_last_digit_and_a_reason_does_not() -> None:
    packages = [{"keras-nightly": f"3.12.0.dev2026010{day}03"} for day in (1, 2)]
    reasons = [{"oom-kill": f"process {pid} in /tmp/{pid} may not"} for pid in (4711, 4712)]
    sides = [
        side(msgspec.structs.replace(DOCUMENT, environment=msgspec.structs.replace(DOCUMENT.environment, **both)))
        for both in ({"packages": one, "capabilities": other} for one, other in zip(packages, reasons, strict=True))
    ]
    assert surroundings(pair(*sides), *sides) == ["keras-nightly: 3.12.0.dev2026010103 -> 3.12.0.dev2026010203"]


def with_numpy(document: parts.Document, version: str) -> Side:
    kernels = [msgspec.structs.replace(one, packages={"numpy": version}) for one in document.environment.kernels]
    return side(
        msgspec.structs.replace(document, environment=msgspec.structs.replace(document.environment, kernels=kernels))
    )


def test_packages_of_the_kernels_are_told_where_there_is_one() -> None:
    sides = with_numpy(DOCUMENT, "1.26"), with_numpy(DOCUMENT, "2.0")
    assert surroundings(pair(*sides), *sides) == ["numpy in the kernels: 1.26 -> 2.0"]
    two = documents.of_kernels("2.20.0", "2.21.0")
    sides = with_numpy(two, "1.26"), with_numpy(two, "2.0")
    assert surroundings(pair(*sides), *sides) == []


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        (["--tfkernel-gate"], "fail"),
        (["--tfkernel-gate=warn"], "warn"),
        (["--tfkernel-gate", "--tfkernel-gate=warn"], "warn"),
    ],
)
def test_the_last_mode_of_the_gate_holds(options: list[str], mode: str) -> None:
    sides = side(DOCUMENT), side(documents.with_options(DOCUMENT, *options))
    assert surroundings(pair(*sides), *sides) == [f"--tfkernel-gate: not given -> {mode}"]


def test_what_a_verdict_was_looked_at_with_is_listed_once() -> None:
    ref, changed = DOCUMENT, DOCUMENT
    for number in (0, 2):
        ref = documents.with_verdict(ref, number, given="compared: jupyter; restarted after 3.1 s")
        changed = documents.with_verdict(changed, number, given="compared: jupyter, spyder")
    sides = (Side("a", ref), Side("b", changed))
    assert surroundings(pair(*sides), *sides) == [
        "process-is-new: compared: jupyter; restarted after 3.1 s -> compared: jupyter, spyder"
    ]
    later = (
        Side("a", ref),
        Side("b", documents.with_verdict(ref, 0, given="compared: jupyter; restarted after 2.9 s")),
    )
    assert surroundings(pair(*later), *later) == []
