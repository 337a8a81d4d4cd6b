from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from pytest_tfkernel.gpu_report.folder import Folder
from pytest_tfkernel.gpu_report.index import Index, Step, load
from pytest_tfkernel.gpu_report.machine import Setup
from pytest_tfkernel.gpu_report.plan import ReportPart
from pytest_tfkernel.gpu_report.playing import INTERRUPTED, OVER, Ended
from pytest_tfkernel.gpu_report.report import Report
from pytest_tfkernel.gpu_report.writing import ReportError, write
from pytest_tfkernel.model.errors import KernelStartError
from reports import MACHINE, Hand, nothing, part, red, whole, writes

Play = Callable[..., Report]
ONE, TWO, THREE = (part(name) for name in ("one", "two", "three"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "report"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def play(folder: Path, said: list[str]) -> Play:
    """Begin a report, or go on with it; whether it was interrupted is no matter."""

    def play(parts: Sequence[ReportPart], player: Hand, machine: Setup = MACHINE, seconds: float = 600.0) -> Report:
        with Folder(folder) as claimed:
            report = Report(claimed, machine, said.append, player.clock)
            report.play(parts, seconds, player)
            return report

    return play


def steps(folder: Path) -> list[tuple[str, str, str]]:
    """What the index on disk says."""
    return [(step.part, step.state, step.why) for step in load(folder / "index.json").steps]


def test_each_part_is_a_document_of_its_own_and_a_step(play: Play, folder: Path) -> None:
    report = play([ONE, TWO], Hand([whole, red]))
    assert steps(folder) == [("one", "done", ""), ("two", "done", "")]
    first, second = load(folder / "index.json").steps
    assert (first.document, first.log, first.exit, first.seconds) == ("one.json", "one.log", 0, 1.0)
    assert second.command == ["write", str(folder / "two.json")]
    assert (report.missing([ONE, TWO]), report.red([ONE, TWO])) == ([], ["two"])
    assert load(folder / "index.json").machine == MACHINE


def test_what_is_done_is_not_done_again(play: Play, folder: Path) -> None:
    play([ONE], Hand([whole]))
    player = Hand([whole])
    play([ONE, TWO], player)
    assert steps(folder) == [("one", "done", ""), ("two", "done", "")]
    assert len(player.given) == 1


@pytest.mark.parametrize(
    ("act", "state", "why"),
    [
        (nothing(0), "broken", "exit code 0; one.json isn't whole"),
        (nothing(4), "broken", "exit code 4; one.json isn't whole"),
        (nothing(-9), "broken", "SIGKILL; one.json isn't whole"),
        (writes("{", 1), "broken", "exit code 1; one.json isn't whole"),
        (writes("{", OVER), "cut", OVER),
        (nothing(OVER), "cut", OVER),
        # It had just come to its end.
        (writes("0", OVER), "done", ""),
    ],
)
def test_a_part_is_done_when_its_document_is_whole(
    play: Play, folder: Path, act: Callable[[Path], object], state: str, why: str
) -> None:
    report = play([ONE, TWO], Hand([act, whole]))
    assert steps(folder) == [("one", state, why), ("two", "done", "")]
    assert report.missing([ONE, TWO]) == ([] if state == "done" else ["one"])


def test_what_was_cut_is_made_anew_beside_what_there_is(play: Play, folder: Path) -> None:
    play([ONE], Hand([writes("{", OVER)]))
    play([ONE], Hand([writes("[", OVER)]))
    play([ONE], Hand([whole]))
    assert [(step.document, step.state) for step in load(folder / "index.json").steps] == [
        ("one.json", "cut"),
        ("one-2.json", "cut"),
        ("one-3.json", "done"),
    ]
    assert [(folder / name).read_text() for name in ("one.json", "one-2.json", "one-3.json")] == ["{", "[", "0"]


@pytest.mark.parametrize("left", ["one.log", "one.json", "one.json.incomplete", "one"])
def test_no_file_is_written_over(play: Play, folder: Path, left: str) -> None:
    play([TWO], Hand([whole]))
    (folder / left).write_text("somebody's")
    play([ONE], Hand([whole]))
    assert (folder / left).read_text() == "somebody's"
    assert load(folder / "index.json").steps[-1].document == "one-2.json"


def test_an_interruption_ends_all(play: Play, folder: Path) -> None:
    play([ONE, TWO, THREE], Hand([whole, writes("{", INTERRUPTED)]))
    expected = [("one", "done", ""), ("two", "cut", INTERRUPTED), ("three", "skipped", "interrupted before it")]
    assert steps(folder) == expected
    play([ONE, TWO, THREE], Hand([whole, whole]))
    assert steps(folder) == [*expected[:2], ("two", "done", ""), ("three", "done", "")]


def test_an_interruption_at_the_end_of_a_part_is_one_too(play: Play, folder: Path) -> None:
    play([ONE, TWO], Hand([writes("0", INTERRUPTED)]))
    assert steps(folder) == [("one", "done", ""), ("two", "skipped", "interrupted before it")]


def test_a_refused_part_is_left_out_until_it_is_allowed(play: Play, folder: Path, said: list[str]) -> None:
    report = play([part("one", refused="it may harm"), TWO], Hand([whole]))
    assert steps(folder) == [("one", "skipped", "it may harm"), ("two", "done", "")]
    assert report.missing([part("one", refused="it may harm"), TWO]) == []
    assert "one: left out: it may harm" in said
    play([ONE, TWO], Hand([whole]))
    assert steps(folder) == [("two", "done", ""), ("one", "done", "")]


def test_time_goes_first_to_what_comes_first_and_is_kept_for_the_others(play: Play, folder: Path) -> None:
    player = Hand([whole, nothing(OVER), whole], seconds=50.0)
    play([ONE, TWO, part("four", refused="no"), THREE], player, seconds=200.0)
    # 60 s are kept for each that comes later, but not for one that is refused.
    assert player.given == [80.0, 90.0, 100.0]
    assert [state for _, state, _ in steps(folder)] == ["done", "cut", "skipped", "done"]


def test_without_time_a_part_is_left_out(play: Play, folder: Path) -> None:
    player = Hand([whole], seconds=55.0)
    report = play([ONE, TWO], player, seconds=60.0)
    assert player.given == [60.0]
    assert steps(folder) == [("one", "done", ""), ("two", "skipped", "no time was left for it")]
    assert report.missing([ONE, TWO]) == ["two"]


def test_what_prints_its_document_has_it_in_its_place_when_it_is_whole(play: Play, folder: Path) -> None:
    printing = part("one", prints=True)
    player = Hand([writes("{", 2), whole])
    play([printing], player)
    assert sorted(path.name for path in folder.iterdir()) == ["index.json", "one.json.incomplete"]
    play([printing], player)
    assert steps(folder) == [("one", "broken", "exit code 2; one.json isn't whole"), ("one", "done", "")]
    assert (folder / "one-2.json").read_text() == "0"
    assert player.files == [("one.json.incomplete", "one.log"), ("one-2.json.incomplete", "one-2.log")]


@pytest.mark.parametrize("text", ["0", "1", "{", None])
def test_a_step_of_a_killed_command_is_what_its_document_is(play: Play, folder: Path, text: str | None) -> None:
    folder.mkdir()
    if text is not None:
        (folder / "one.json").write_text(text)
    step = Step(part="one", state="running", document="one.json", log="one.log")
    write(folder / "index.json", Index.new(MACHINE).with_step(step))
    player = Hand([whole])
    report = play([ONE], player)
    if text in {"0", "1"}:
        assert steps(folder) == [("one", "done", "")]
        assert report.red([ONE]) == (["one"] if text == "1" else [])
    else:
        assert steps(folder) == [("one", "cut", "gpu-report itself was ended"), ("one", "done", "")]


def test_a_part_that_is_not_asked_for_stays_as_it_is(play: Play, folder: Path) -> None:
    play([part("one", refused="no"), TWO], Hand([nothing(OVER)]))
    play([THREE], Hand([whole]))
    assert steps(folder) == [("one", "skipped", "no"), ("two", "cut", OVER), ("three", "done", "")]


def test_a_command_that_cannot_be_started_is_no_end_of_all(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = Hand([whole])
    real = player.play

    def fail(*arguments: object) -> Ended:
        monkeypatch.setattr(player, "play", real)
        raise KernelStartError("no such program")

    monkeypatch.setattr(player, "play", fail)
    play([ONE, TWO], player)
    assert steps(folder) == [("one", "broken", "no such program"), ("two", "done", "")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tensorflow": None}, "TensorFlow 2.21.0, and here none"),
        ({"python": "3.10.0"}, "Python 3.12.1, and here 3.10.0"),
        ({"linux": "5.4"}, "Linux 6.1, and here 5.4"),
        ({"version": "0.2.0"}, "pytest-tfkernel 0.1.0, and here 0.2.0"),
        ({"card": dataclasses.replace}, "GPU NVIDIA H100, and here NVIDIA H200; driver 580.1, and here 600.1"),
    ],
    ids=["tensorflow", "python", "linux", "version", "card"],
)
def test_a_report_of_another_place_is_left_alone(
    play: Play, folder: Path, change: dict[str, object], words: str
) -> None:
    play([ONE], Hand([whole]))
    before = (folder / "index.json").read_bytes()
    if "card" in change:
        change = {"card": msgspec.structs.replace(MACHINE.card, names=["NVIDIA H200"], driver="600.1")}
    other = msgspec.structs.replace(MACHINE, **change)
    with pytest.raises(ReportError, match=f"has a report of another place: {words}: name a new folder"):
        play([ONE], Hand([]), other)
    assert (folder / "index.json").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is cut short, or was changed by hand"),
        ("[]", "is cut short, or was changed by hand"),
        ('{"format": "pytest-tfkernel run", "schema": 1}', "is no gpu report: name another folder"),
        ('{"format": "pytest-tfkernel gpu report", "schema": 2}', "has schema 2"),
        ('{"format": "pytest-tfkernel gpu report", "schema": 1}', "changed by hand"),
        ("[" * 100_000, "is cut short, or was changed by hand"),
    ],
)
def test_an_index_that_is_none_is_said_in_a_line(play: Play, folder: Path, text: str, words: str) -> None:
    folder.mkdir()
    (folder / "index.json").write_text(text)
    with pytest.raises(ReportError, match=words) as raised:
        play([ONE], Hand([]))
    assert "\n" not in str(raised.value)
    assert (folder / "index.json").read_text() == text


def test_the_index_is_on_disk_while_a_part_runs(play: Play, folder: Path) -> None:
    def look(path: Path) -> object:
        assert steps(folder) == [("one", "running", "")]
        return whole(path)

    play([ONE], Hand([look]))
