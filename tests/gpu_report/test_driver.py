"""What is measured without TensorFlow, on a stand-in for the driver."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import driver_stub
from driver_stub import DriverStub
from pytest_tfkernel.gpu_report import driver, figures, releases, sharing
from pytest_tfkernel.gpu_report.bench import MIB, Bench
from pytest_tfkernel.gpu_report.checks import Check
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.gpus import is_stand_in
from pytest_tfkernel.model.kernels import Outcome, Reply
from pytest_tfkernel.model.trials import State, Verdict
from pytest_tfkernel.trials.cells import CellFailedError, value

HELD = (500 + 256) * MIB
EVERY = {"oom-gpu", "cuda-fault"}
ALL = {check.name: check for check in driver.checks(EVERY)}


@pytest.fixture
def measured() -> dict[str, list[float]]:
    return {}


@pytest.fixture
def bench(gpus: Gpus, launcher: Launcher, measured: dict[str, list[float]]) -> Bench:
    def note(name: str, unit: str, value: float) -> None:
        measured.setdefault(name, []).append(value)

    return Bench(launcher, gpus, gpus.calibration, note)


def once() -> list[Check]:
    """One of each kind."""
    return [
        check
        for check in ALL.values()
        if " of " not in check.name or ", 1 of " in check.name or "kernel of" in check.name
    ]


@pytest.mark.parametrize("name", [check.name for check in once()])
def test_each_check_holds_on_a_card_that_behaves(bench: Bench, measured: dict[str, list[float]], name: str) -> None:
    verdict = ALL[name].play(bench)
    if "orphan" in name:
        # The stand-in has no devices that processes open.
        assert (verdict.state, verdict.reason) == (
            State.UNKNOWN,
            "a process with a context has no device of the driver open here",
        )
    else:
        assert verdict.state is State.PASS, verdict
    if name.startswith("released"):
        assert measured.pop("memory of a process with a context and 256 MiB, by NVML") == [HELD]
        assert measured.pop("more in use on the card meanwhile") == [HELD]
        assert len([figure for figure in measured if figure.startswith("settled after")]) == 1


_RELEASED = [check.name for check in once() if check.name.startswith("released")]


def _stays(name: str, line: str) -> Any:
    # How the context stays, no kernel of a host knows; Spyder's, which starts last of all, is one of Jupyter's.
    soaks = "of a kernel of" in name and (line == "fall 60" or name.endswith("spyder"))
    return pytest.param(name, line, marks=[pytest.mark.soak] * soaks)


@pytest.mark.parametrize(
    ("name", "line"), [_stays(name, line) for line in ("linger 60", "fall 60") for name in _RELEASED]
)
def test_a_context_that_stays_fails(
    bench: Bench, machine: DriverStub, gpus: Gpus, measured: dict[str, list[float]], name: str, line: str
) -> None:
    machine.write(driver_stub.device(), line)
    gpus.settling = dataclasses.replace(gpus.settling, seconds=0.2)
    verdict = ALL[name].play(bench)
    assert verdict.state is State.FAIL, verdict
    assert not [figure for figure in measured if figure.startswith("settled")] or line == "fall 60"


def test_a_successor_that_gets_nothing_fails(
    bench: Bench, machine: DriverStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write(driver_stub.device(), "fall 600")
    monkeypatch.setattr(sharing, "_SUCCESSOR_SECONDS", 0.1)
    (check,) = sharing.greedy()
    verdict = check.play(bench)
    assert verdict.state is State.FAIL
    assert "OUT_OF_MEMORY (2)" in verdict.reason


def test_a_neighbour_that_loses_its_memory_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "value", lambda kernel, cell: 1.0 if "load" in cell else value(kernel, cell))
    verdict = ALL["a neighbour on the same GPU keeps its memory"].play(bench)
    assert (verdict.state, verdict.reason) == (
        State.FAIL,
        "its memory held 2.0 before, and 1.0 after its neighbour's death",
    )


def test_a_fork_that_can_use_the_context_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "USE_IN_A_FORK", "'works'")
    assert ALL["a fork of a process with a context can't use it"].play(bench).state is State.FAIL


def test_an_illegal_address_without_an_error_is_unknown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = releases.harmful()
    monkeypatch.setattr(Kernel, "inject", lambda *_: Outcome("cuda-fault", Reply(True, 1, "", "", None, 0.0), None))
    verdict = check.play(bench)
    assert (verdict.state, verdict.reason) == (
        State.UNKNOWN,
        "a write through a null pointer was no error of the context (700)",
    )


def test_where_others_use_the_card_nothing_is_done_that_may_harm_them(bench: Bench, machine: DriverStub) -> None:
    machine.write(driver_stub.device(), driver_stub.process(4000000))
    for check in (*sharing.greedy(), *releases.harmful()):
        verdict = check.play(bench)
        assert (verdict.state, verdict.reason) == (
            State.UNKNOWN,
            "it may harm others, and processes that aren't ours use the GPU: 4000000",
        )


def test_memory_that_is_no_evidence_is_not_measured(
    launcher: Launcher, gpus: Gpus, machine: DriverStub, measured: dict[str, list[float]]
) -> None:
    machine.write(driver_stub.device(name="NVIDIA GH200"))
    bench = Bench(launcher, gpus, gpus.calibration, lambda name, _, value: measured.update({name: [value]}))
    verdict = ALL["released after SIGKILL while idle, 1 of 10"].play(bench)
    assert verdict.state is State.PASS
    assert "memory is no evidence here" in verdict.given
    assert "more in use on the card meanwhile" not in measured


@pytest.mark.parametrize("fault", sorted(EVERY))
def test_what_may_harm_is_unknown_unless_it_is_allowed(bench: Bench, fault: str) -> None:
    names = [check.name for check in driver.checks(EVERY) if check.harm == fault]
    (refused,) = [check for check in driver.checks(EVERY - {fault}) if check.name in names]
    assert refused.play(bench) == Verdict.unknown(f"not allowed: add --allow={fault}")


@pytest.mark.parametrize("error", [CellFailedError("two\nlines"), KernelStartError("two\nlines"), KernelStartError()])
def test_a_check_that_cannot_be_made_is_unknown(bench: Bench, error: Exception) -> None:
    def fail(_: Bench) -> Verdict:
        raise error

    verdict = Check("x", fail).play(bench)
    assert verdict.state is State.UNKNOWN
    assert verdict.reason in {"two", "KernelStartError"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have these checks made, and no others."""

    def choose(*looks: Callable[[Bench], Verdict]) -> None:
        monkeypatch.setattr(driver, "checks", lambda _: [Check(str(number), look) for number, look in enumerate(looks)])

    return choose


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.passed(), 0), (Verdict.failed("no"), 1), (Verdict.unknown("no"), 1)]
)
def test_the_code_says_what_came_of_it(
    tmp_path: Path, launcher: Launcher, gpus: Gpus, few: Callable[..., None], verdict: Verdict, code: int
) -> None:
    few(lambda _: verdict)
    assert driver.measure(tmp_path / "driver.json", (), launcher, gpus) == code
    found = figures.load(tmp_path / "driver.json")
    assert found.complete
    assert [one.state for one in found.checks] == [verdict.state.value]
    assert (found.card.names, found.card.stand_in) == (["NVIDIA H100 (stand-in driver)"], True)


def test_what_was_measured_before_an_interruption_is_there(
    tmp_path: Path, launcher: Launcher, gpus: Gpus, few: Callable[..., None]
) -> None:
    def interrupted(_: Bench) -> Verdict:
        raise KeyboardInterrupt

    few(lambda bench: bench.measured("a", "s", 1.0) or Verdict.passed(), interrupted)
    with pytest.raises(KeyboardInterrupt):
        driver.measure(tmp_path / "driver.json", (), launcher, gpus)
    found = figures.load(tmp_path / "driver.json")
    assert not found.complete
    assert ([one.name for one in found.figures], [one.name for one in found.checks]) == (["a"], ["0"])


def test_a_card_that_cannot_be_seen_is_a_line(
    tmp_path: Path, machine: DriverStub, launcher: Launcher, gpus: Gpus, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.write(driver_stub.device(), "pids hidden")
    assert driver.measure(tmp_path / "driver.json", (), launcher, gpus) == 2
    assert capsys.readouterr().err.startswith("nothing can be measured: NVML doesn't list our processes: ")
    assert not (tmp_path / "driver.json").exists()


@pytest.mark.parametrize(("name", "version"), [("Stand-in H100", "1.0"), ("NVIDIA H100", "580.1-STAND-IN")])
def test_a_stand_in_is_said_to_be_one(
    tmp_path: Path,
    machine: DriverStub,
    launcher: Launcher,
    gpus: Gpus,
    few: Callable[..., None],
    name: str,
    version: str,
) -> None:
    machine.write(driver_stub.device(name=name), f"driver {version}")
    few(lambda _: Verdict.passed())
    driver.measure(tmp_path / "driver.json", (), launcher, gpus)
    card = figures.load(tmp_path / "driver.json").card
    assert card.stand_in
    assert "stand-in driver: nothing here was measured on a GPU" in str(card)
    assert not is_stand_in("NVIDIA H100 80GB HBM3", "580.159.04")
