"""The header and the summary, as lines of text with colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from facts import INTERPRETER
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.model.trials import Capability, Record, Setting, State, Verdict
from pytest_tfkernel.report import terminal
from pytest_tfkernel.report.matrix import WIDTH, Line

TENSORFLOW = Capability("tensorflow", "TensorFlow", available=True)
GPU = Capability("gpu", "GPUs", available=True)
NO_GPU = Capability("gpu", "GPUs", available=False, reason="no driver")
COLUMNS = ("one", "two", "three")
A, B, C = (Setting("forkserver", example, "sigkill") for example in COLUMNS)
COLD = Setting("subprocess", "two", "a-fault-with-a-long-name")


def record(setting: Setting, state: State, reason: str = "", guarantee: str = "holds") -> Record:
    return Record(f"tfkernel::{guarantee}[{setting}]", guarantee, setting, Verdict(state, reason))


def summary(records: Sequence[Record], order: Sequence[Setting] = (), gpu: Capability = GPU) -> list[Line]:
    return list(terminal.summary(records, [TENSORFLOW, gpu], terminal.Layout(order, COLUMNS)))


def texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


class TestHeader:
    def test_has_interpreter_then_what_can_then_what_cannot_be_checked(self) -> None:
        assert terminal.header({"tf": INTERPRETER}, [TENSORFLOW, NO_GPU]) == [
            "tfkernel: kernels are Python 3.11.7, TensorFlow 2.21.0 (/usr/bin/python3)",
            "tfkernel: can check: TensorFlow",
            "tfkernel: can't check GPUs: no driver",
        ]

    @pytest.mark.parametrize("width", [60, 80])
    def test_lines_are_broken_between_words(self, width: int) -> None:
        gone = Capability("gpu", "GPUs", available=False, reason="there is no driver here, or " * 5)
        lines = terminal.header({"tf": INTERPRETER}, [TENSORFLOW, gone], ["a GPU " * 20], width)
        assert max(map(len, lines)) <= width
        assert [line for line in lines if not line.startswith(("tfkernel: ", "  "))] == []

    def test_says_nothing_where_nothing_can_be_checked(self) -> None:
        assert "tfkernel: can check: nothing" in terminal.header({"tf": INTERPRETER}, [NO_GPU])

    def test_labels_are_left_out_where_there_is_one(self) -> None:
        lines = terminal.header({"tf": INTERPRETER, "tf-2": INTERPRETER}, [TENSORFLOW])
        assert lines[:2] == [
            "tfkernel: kernels tf are Python 3.11.7, TensorFlow 2.21.0 (/usr/bin/python3)",
            "tfkernel: kernels tf-2 are Python 3.11.7, TensorFlow 2.21.0 (/usr/bin/python3)",
        ]


class TestKernels:
    MACHINE = Setting("subprocess", "scenario", "sigkill")

    @staticmethod
    def of(*labels: str) -> list[Setting]:
        return [dataclasses.replace(A, kernel=label) for label in labels]

    def test_one_is_not_named(self) -> None:
        order = [self.MACHINE, *self.of("tf")]
        lines = texts(summary([record(one, State.FAIL, "why") for one in order], order))
        assert lines[:4] == ["subprocess", "  scenario sigkill FAIL 1", "forkserver  one", "  sigkill   FAIL 1"]
        assert [line for line in lines if "tf/" in line] == []

    def test_several_are_columns_and_stand_in_ids(self) -> None:
        order = [self.MACHINE, *self.of("tf", "tf-2")]
        lines = texts(summary([record(one, State.FAIL, "why") for one in order], order))
        assert lines[:4] == [
            "subprocess",
            "  scenario sigkill FAIL 1",
            "forkserver     tf      tf-2",
            "  one sigkill  FAIL 1  FAIL 1",
        ]
        assert [line for line in lines if line.startswith("FAIL holds")] == [
            "FAIL holds [subprocess-scenario-sigkill-idle]",
            "FAIL holds [tf/forkserver-one-sigkill-idle]",
            "FAIL holds [tf-2/forkserver-one-sigkill-idle]",
        ]

    def test_a_run_of_several_names_them_where_one_was_played(self) -> None:
        first, second = self.of("tf", "tf-2")
        lines = texts(summary([record(first, State.FAIL, "why")], [first, second]))
        assert lines[0].split() == ["forkserver", "tf"]
        assert "FAIL holds [tf/forkserver-one-sigkill-idle]" in lines


class TestMatrix:
    def test_has_a_row_a_fault_and_a_column_an_example(self) -> None:
        lines = texts(summary([record(A, State.PASS), record(A, State.PASS), record(B, State.FAIL)]))
        assert lines[:3] == [
            "forkserver  one     two",
            "  sigkill   PASS 2  FAIL 1",
            "2 trials with 0 cold starts, 3 verdicts: 2 PASS, 1 FAIL, 0 KNOWN, 0 UNKNOWN",
        ]

    def test_names_the_worst_of_a_cell(self) -> None:
        states = [State.PASS, State.UNKNOWN, State.PASS]
        assert texts(summary([record(A, state) for state in states]))[1] == "  sigkill   UNKNOWN 1 of 3"
        assert texts(summary([record(A, state) for state in [*states, State.FAIL]]))[1] == "  sigkill   FAIL 1 of 4"

    def test_has_a_block_a_provisioner_with_the_same_columns(self) -> None:
        lines = texts(summary([record(A, State.PASS), record(COLD, State.PASS)]))
        assert lines[:4] == [
            "forkserver                  one     two",
            "  sigkill                   PASS 1",
            "subprocess                  one     two",
            "  a-fault-with-a-long-name          PASS 1",
        ]

    def test_keeps_the_order_of_settings_whatever_was_first(self) -> None:
        shuffled = [record(one, State.PASS) for one in (COLD, C, A, B)]
        lines = texts(summary(shuffled, [A, B, C, COLD]))
        assert lines[0].split() == ["forkserver", "one", "two", "three"]
        assert lines[2].split() == ["subprocess", "one", "two", "three"]

    def test_shows_columns_of_what_was_played_only(self) -> None:
        assert texts(summary([record(B, State.PASS)], [A, B, C]))[0].split() == ["forkserver", "two"]

    def test_shows_what_no_order_knows(self) -> None:
        assert "three" in texts(summary([record(C, State.PASS)], [A, B]))[0]

    def test_other_phases_and_scenarios_follow_the_table_in_lines_of_their_own(self) -> None:
        others = [
            Setting("forkserver", "one", "sigkill", "running"),
            Setting("forkserver", "scenario", "none"),
            Setting("forkserver", "scenario", "sigkill", "saving"),
        ]
        assert texts(summary([record(one, State.PASS) for one in (A, *others)]))[:3] == [
            "forkserver  one",
            "  sigkill   PASS 1",
            "  sigkill in running PASS 1  scenario PASS 1  scenario sigkill in saving PASS 1",
        ]

    def test_other_lines_are_no_wider_than_a_screen(self) -> None:
        many = [record(Setting("forkserver", f"scenario-{number}", "none"), State.PASS) for number in range(20)]
        lines = texts(summary(many))[:-1]
        assert max(map(len, lines)) <= 100
        assert sum(line.count("PASS 1") for line in lines) == 20

    def test_counts_the_cold_starts_of_all_trials(self) -> None:
        records = [dataclasses.replace(record(one, State.PASS), cold_starts=2) for one in (A, B)]
        assert "2 trials with 4 cold starts" in texts(summary(records))[2]

    def test_colours_verdicts_and_nothing_else(self) -> None:
        row = summary([record(A, State.PASS), record(B, State.FAIL), record(C, State.UNKNOWN)])[1]
        assert [(text.strip(), colour) for text, colour in row] == [
            ("sigkill", ""),
            ("PASS 1", "green"),
            ("FAIL 1", "red"),
            ("UNKNOWN 1", "yellow"),
        ]
        assert summary([record(A, State.KNOWN)])[1][-1] == ("KNOWN 1", "purple")

    def test_ends_no_line_with_spaces(self) -> None:
        lines = texts(summary([record(one, State.PASS) for one in (A, B, COLD)]))
        assert [line for line in lines if line != line.rstrip()] == []


class TestReasons:
    def test_each_has_the_first_line_of_its_reason_and_the_line_to_type(self) -> None:
        lines = texts(summary([record(A, State.FAIL, "first  line\n  second"), record(A, State.PASS)]))
        assert lines[3:] == [
            "FAIL holds [forkserver-one-sigkill-idle]",
            "  first line",
            '  pytest "tfkernel::holds[forkserver-one-sigkill-idle]"',
        ]

    def test_a_long_one_is_cut_and_broken_between_words(self) -> None:
        lines = texts(summary([record(A, State.FAIL, "word " * 1000)]))[4:-1]
        assert max(map(len, lines)) <= WIDTH
        assert 300 < len(" ".join(lines)) < 600
        assert lines[-1].endswith("[...]")

    def test_unknowns_of_one_reason_stand_together(self) -> None:
        found = [record(one, State.UNKNOWN, "no GPU", name) for one in (A, B) for name in ("no-context", "no-memory")]
        lines = texts(summary([*found, record(C, State.UNKNOWN, "hidden"), record(C, State.FAIL, "no GPU")]))
        first = lines.index("UNKNOWN 4 times")
        assert lines[first : first + 7] == [
            "UNKNOWN 4 times",
            "  no GPU",
            "  no-context [forkserver-one-sigkill-idle] and 1 more",
            "  no-memory [forkserver-one-sigkill-idle] and 1 more",
            '  such as pytest "tfkernel::no-context[forkserver-one-sigkill-idle]"',
            "UNKNOWN holds [forkserver-three-sigkill-idle]",
            "  hidden",
        ]

    def test_fails_come_first_and_then_what_is_known(self) -> None:
        states = {A: State.UNKNOWN, COLD: State.KNOWN, B: State.FAIL, C: State.PASS}
        lines = texts(summary([record(setting, state) for setting, state in states.items()]))
        words = [line.split()[0] for line in lines if line.startswith(("FAIL", "KNOWN", "UNKNOWN", "PASS"))]
        assert words == ["FAIL", "KNOWN", "UNKNOWN"]

    def test_what_passes_has_none_unless_it_is_listed_as_what_never_does(self) -> None:
        passed = record(A, State.PASS, "because")
        assert len(summary([passed])) == 3

        def listed(*, always: bool) -> list[str]:
            defect = Defect("deaf", "it is deaf", table="ours", always=always)
            verdict = dataclasses.replace(passed.verdict, defect=defect)
            return texts(summary([dataclasses.replace(passed, verdict=verdict)]))[3:]

        assert listed(always=False) == []
        assert listed(always=True)[:2] == [
            "PASS holds [forkserver-one-sigkill-idle]",
            "  because; mended: deaf is listed as always seen, and wasn't: update the table (ours)",
        ]

    def test_known_defects_that_fit_nothing_are_told(self) -> None:
        assert texts([*terminal.unseen(["deaf: guarantee a (why)"])]) == [
            "known, but nothing here fits it: deaf: guarantee a (why)"
        ]


class TestLastLines:
    def test_say_that_nothing_about_gpus_was_checked(self) -> None:
        assert texts(summary([record(A, State.PASS)], gpu=NO_GPU))[-1] == "nothing about GPUs was checked: no driver"
        assert "GPU" not in "".join(texts(summary([record(A, State.PASS)])))

    def test_say_when_nothing_passed(self) -> None:
        assert texts(summary([record(A, State.UNKNOWN)]))[-1].startswith("no verdict is PASS, so nothing was shown")

    @pytest.mark.parametrize("state", [State.PASS, State.KNOWN, State.FAIL])
    def test_do_not_say_so_where_anything_was_seen(self, state: State) -> None:
        for records in ([record(A, state)], [record(A, State.UNKNOWN), record(B, state)]):
            assert "nothing was shown" not in "".join(texts(summary(records)))

    def test_one_is_counted_as_one(self) -> None:
        one = dataclasses.replace(record(A, State.PASS), cold_starts=1)
        assert "1 trial with 1 cold start, 1 verdict: 1 PASS, 0 FAIL, 0 KNOWN, 0 UNKNOWN" in texts(summary([one]))
