"""The verdicts of a run as a table."""

from __future__ import annotations

from pytest_tfkernel.model.trials import Record, Setting, Verdict
from pytest_tfkernel.report.matrix import matrix, unique

PASS, FAIL, UNKNOWN = Verdict.passed(), Verdict.failed("no"), Verdict.unknown("why")
COLUMNS = ("graph_add", "variable_assign")


def record(setting: Setting, verdict: Verdict = PASS) -> Record:
    return Record("item", "guarantee", setting, verdict)


def setting(
    example: str = "graph_add",
    fault: str = "sigkill",
    phase: str = "idle",
    kernel: str | None = None,
    by: str = "forkserver",
) -> Setting:
    return Setting(by, example, fault, phase, kernel)


def lines(*records: Record, kernels: tuple[str, ...] = ()) -> list[str]:
    return ["".join(text for text, _ in line) for line in matrix(records, COLUMNS, kernels)]


def colours(*records: Record) -> dict[str, str]:
    return {text.strip(): colour for line in matrix(records, COLUMNS) for text, colour in line if colour}


def test_rows_are_faults_and_columns_examples() -> None:
    assert lines(record(setting()), record(setting("variable_assign", "exit"))) == [
        "forkserver  graph_add  variable_assign",
        "  sigkill   PASS 1",
        "  exit                 PASS 1",
    ]


def test_a_cell_counts_and_names_the_worst() -> None:
    one = setting()
    assert lines(record(one), record(one))[1].split() == ["sigkill", "PASS", "2"]
    found = [record(one), record(one, UNKNOWN), record(one, UNKNOWN)]
    assert lines(*found)[1].split() == ["sigkill", "UNKNOWN", "2", "of", "3"]
    assert lines(*found, record(one, FAIL))[1].split() == ["sigkill", "FAIL", "1", "of", "4"]


def test_each_state_has_its_colour() -> None:
    found = colours(record(setting()), record(setting(fault="exit"), FAIL), record(setting(fault="hang"), UNKNOWN))
    assert found == {"forkserver  graph_add": "bold", "PASS 1": "green", "FAIL 1": "red", "UNKNOWN 1": "yellow"}


def test_what_has_no_place_follows_in_lines_of_its_own() -> None:
    found = lines(
        record(setting()),
        record(setting(phase="running")),
        record(setting("eager-needs-graph", "none")),
        record(setting("one-sided", "exit", "starting")),
    )
    assert found[2:] == ["  sigkill in running PASS 1  eager-needs-graph PASS 1  one-sided exit in starting PASS 1"]


def test_such_lines_are_not_too_long() -> None:
    found = lines(*(record(setting(f"a-scenario-{number}", "none")) for number in range(12)))
    assert len(found) > 2
    assert max(map(len, found)) <= 100
    assert sum(line.count("PASS 1") for line in found) == 12


def test_each_provisioner_has_a_block() -> None:
    found = lines(record(setting()), record(setting(by="subprocess")), record(setting(fault="exit")))
    assert [line.split()[0] for line in found] == ["forkserver", "sigkill", "exit", "subprocess", "sigkill"]


def test_one_without_a_table_has_no_heads() -> None:
    assert lines(record(setting()), record(setting("eager-needs-graph", "none", by="subprocess")))[2:] == [
        "subprocess",
        "  eager-needs-graph PASS 1",
    ]


def test_with_several_kernels_each_has_a_column_and_rows_are_settings() -> None:
    found = lines(
        record(setting(kernel="tf2.21")),
        record(setting(kernel="tf1.15"), FAIL),
        record(setting("eager-needs-graph", "none", kernel="tf2.21")),
        # Of the machine, and played once.
        record(setting("daemon", "runner-death")),
        kernels=("tf1.15", "tf2.21", "of nobody"),
    )
    assert found == [
        "forkserver           tf1.15  tf2.21",
        "  graph_add sigkill  FAIL 1  PASS 1",
        "  eager-needs-graph          PASS 1",
        "  daemon runner-death PASS 1",
    ]


def test_nothing_is_nothing() -> None:
    assert lines() == []


def test_names_are_told_once_in_order() -> None:
    assert unique("banana") == ["b", "a", "n"]


def test_a_table_that_is_too_wide_goes_on_below_itself() -> None:
    records = [record(setting(one, kernel=kernel)) for kernel in ("tf2.18", "tf2.20", "tf2.21") for one in COLUMNS]
    kernels = ("tf2.18", "tf2.20", "tf2.21")

    def at(width: int) -> list[str]:
        return ["".join(text for text, _ in line) for line in matrix(records, COLUMNS, kernels, width)]

    whole = at(100)
    assert len(whole) == 3
    assert at(max(map(len, whole))) == whole
    for width in (60, 45, 38):
        assert max(map(len, at(width))) <= width
        assert "".join(at(width)).count("PASS 1") == len(records)
    # A column that doesn't fit is shown all the same.
    assert "".join(at(5)).count("PASS 1") == len(records)
    assert [line.split()[1:] for line in at(38) if line.startswith("forkserver")] == [
        ["tf2.18"],
        ["tf2.20"],
        ["tf2.21"],
    ]
