"""Memory over a life as a line, and the limit that holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfkernel.run.memory import Limit, MemoryLine, Sample, Samples, limit_of, peak_in, resident, used_in


def _line(*used: int, peak: int = 0) -> MemoryLine:
    return MemoryLine(tuple(Sample(float(second), one) for second, one in enumerate(used)), max(peak, *used), None)


def test_bars_grow_with_what_is_used() -> None:
    assert _line(1, 2, 3, 4, 5, 6, 7, 8).bars() == "▁▂▃▄▅▆▇█"


def test_the_peak_that_no_look_saw_ends_the_line() -> None:
    assert _line(1, 1, peak=100).bars()[-1] == "█"


def test_many_samples_fit_the_width() -> None:
    assert len(_line(*range(1, 1000)).bars(40)) == 40


@pytest.mark.parametrize("line", [MemoryLine((), 0, None), _line(0)])
def test_a_life_without_looks_has_a_line_too(line: MemoryLine) -> None:
    assert len(line.bars()) == len(line.samples)


def test_a_long_life_is_looked_at_less_often_and_keeps_its_beginning_and_its_peak() -> None:
    samples = Samples()
    pauses = [samples.add(float(second), second) for second in range(5000)]
    line = samples.line(None, 0)
    assert pauses[-1] > pauses[0]
    assert len(line.samples) <= 512
    assert (line.samples[0], line.peak) == (Sample(0.0, 0), line.samples[-1].used)


def test_resident_memory_of_those_that_are_there() -> None:
    assert resident([os.getpid(), 1 << 22]) > 1 << 20
    assert resident([]) == 0


class TestLimit:
    @pytest.fixture
    def machine(self, tmp_path: Path) -> Path:
        (tmp_path / "meminfo").write_text("MemTotal:  1000 kB\nMemFree: 1 kB\n", encoding="ascii")
        return tmp_path / "meminfo"

    @pytest.mark.parametrize(
        ("name", "none"), [("memory.max", "max"), ("memory.limit_in_bytes", str((1 << 63) - 4096))]
    )
    def test_the_lowest_of_all_cgroups_above_it_holds(
        self, tmp_path: Path, machine: Path, name: str, none: str
    ) -> None:
        inner = tmp_path / "top" / "outer" / "inner"
        inner.mkdir(parents=True)
        for folder, limit in ((inner, none), (inner.parent, "4096"), (inner.parent.parent, "8192")):
            (folder / name).write_text(limit, encoding="ascii")
        assert limit_of(inner, machine) == Limit(4096, str(inner.parent))

    def test_without_any_that_of_the_machine_holds(self, tmp_path: Path, machine: Path) -> None:
        assert limit_of(None, machine) == Limit(1000 * 1024, "this machine")
        assert limit_of(tmp_path, tmp_path / "none") is None

    def test_what_is_charged_to_a_cgroup(self, tmp_path: Path) -> None:
        (tmp_path / "memory.current").write_text("7\n", encoding="ascii")
        (tmp_path / "memory.max_usage_in_bytes").write_text("9\n", encoding="ascii")
        assert (used_in(tmp_path), peak_in(tmp_path), used_in(tmp_path / "none")) == (7, 9, None)
