"""Scenarios of real hosts: honest kernels pass, a saboteur of each guarantee is found out, and judges by hand."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aims import HELD_IMPORT, HOSTED, Aim, honest
from facts import saw
from host_forks import PATIENCE
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine import capabilities
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Jupyter
from pytest_tfkernel.model.trials import AS_TOLD, Capability, Setting, State, Verdict
from pytest_tfkernel.suite import observing
from pytest_tfkernel.suite.defects.table import KnownDefects, load_ours
from pytest_tfkernel.suite.guarantees import GUARANTEES, Guarantee, hosts as judge
from pytest_tfkernel.suite.guarantees.hosts import DIFFERENCES
from pytest_tfkernel.suite.scenarios import hosted, hosts
from pytest_tfkernel.suite.scenarios.busy import BUSY_SHUTDOWN
from pytest_tfkernel.suite.scenarios.hosted_imports import HOSTED_IMPORT
from pytest_tfkernel.suite.scenarios.hosts import HOSTS_AGREE
from pytest_tfkernel.suite.scenarios.restarts import RESTART_LIMIT, STRUCK_STARTS, TWO_DEATHS
from pytest_tfkernel.trials.stage import Stage

RESTARTS = (RESTART_LIMIT, STRUCK_STARTS, TWO_DEATHS, BUSY_SHUTDOWN, HOSTED_IMPORT)
_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}
_KNOWN = KnownDefects(load_ours(_BY_ID))
# The suite waits as long as people do; here it is about what happens then.
_QUICK = Jupyter(restart_poll=0.3)


@pytest.fixture
def installed(launcher: Launcher) -> dict[str, Capability]:
    """The hosts, there or not."""
    return capabilities.hosts(launcher.interpreter(sys.executable))


def need(installed: dict[str, Capability], host: str) -> None:
    if not installed[host].available:
        pytest.skip(f"{host}: {installed[host].reason}")


def only(installed: dict[str, Capability], names: set[str]) -> dict[str, Capability]:
    """The others aren't there."""
    absent = {name: dataclasses.replace(one, available=False, reason="not asked") for name, one in installed.items()}
    return {name: one if name in names else absent[name] for name, one in installed.items()}


def verdicts(seen: observing.Seen) -> dict[str, Verdict]:
    """By guarantee, with what is known of this TensorFlow."""
    return {one.id: told(one, seen) for one in GUARANTEES if one.applies(seen.setting)}


def told(guarantee: Guarantee, seen: observing.Seen) -> Verdict:
    return _KNOWN.told(guarantee.judge(seen), guarantee.id, seen.setting, seen.interpreter.tensorflow)


@pytest.fixture(scope="module")
def forked(host_launcher: Launcher) -> Iterator[Stage]:
    """A stage whose hosts, and their kernels, are forks."""
    stage = Stage(host_launcher)
    yield stage
    stage.close()


@pytest.fixture
def chosen(setting: Setting, request: pytest.FixtureRequest) -> Stage:
    """That one, but where a kernel of our own imports TensorFlow: the other one has that already."""
    stage: Stage = request.getfixturevalue("stage" if setting.example == HOSTS_AGREE.name else "forked")
    return stage


@pytest.mark.usefixtures("tensorflow_python")
# In turns: a real run of the suite plays each with both hosts.
@pytest.mark.parametrize(
    "setting", honest(one.settings[place % len(one.settings)] for place, one in enumerate(RESTARTS))
)
def test_honest_kernels_of_a_host_pass(setting: Setting, chosen: Stage, installed: dict[str, Capability]) -> None:
    need(installed, setting.provisioner)
    startup = HELD_IMPORT if setting.phase == "importing" else ""
    found = verdicts(observing.observe(setting, chosen, KernelSpec(provisioner=_QUICK, startup=startup)))
    assert {one.state for one in found.values()} <= {*AS_TOLD}, found


# Each cold host imports TensorFlow twice. A real run of the suite plays all of them, too; here is its saboteur.
@pytest.mark.soak
@pytest.mark.usefixtures("tensorflow_python")
@pytest.mark.parametrize(
    ("own", "others"),
    [
        (("forkserver",), {capabilities.SPYDER}),
        (hosts.OWN, {one for one, _ in hosts._INSTALLED}),
    ],
    ids=["one", "all"],
)
def test_honest_kernels_of_hosts_agree(
    stage: Stage,
    installed: dict[str, Capability],
    own: tuple[str, ...],
    others: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = only(installed, others)
    if not any(one.available for one in installed.values()):
        pytest.skip(f"there is none of {sorted(others)}")
    _play_with(monkeypatch, own, installed)
    seen = observing.observe(HOSTS_AGREE.settings[0], stage, KernelSpec(provisioner=_QUICK))
    assert isinstance(seen, Facts)
    verdict = _BY_ID[hosts.NAME].judge(seen)
    assert verdict.state is State.PASS, verdict
    there = {name for name, one in installed.items() if one.available}
    assert isinstance(seen.facts, hosts.SideBySide)
    assert len(seen.facts.hosts) == len(own) + len(there)
    assert len(seen.facts.absent) == len(installed) - len(there)
    assert all(times.noticed > 0 for times in seen.facts.times.values())
    assert {host for host, times in seen.facts.times.items() if times.restarted} == there & set(hosted.HOSTS)


@pytest.mark.usefixtures("tensorflow_python")
@pytest.mark.parametrize("setting", sorted({aim.setting for aim in HOSTED}, key=str), ids=str)
def test_judges_say_fail_of_their_saboteurs(
    setting: Setting,
    chosen: Stage,
    installed: dict[str, Capability],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need(installed, capabilities.JUPYTER)
    # An honest kernel has all of its time.
    monkeypatch.setenv(PATIENCE, "1")
    # Each host takes its time, and one is enough to differ from the standard.
    _play_with(monkeypatch, ("forkserver",), only(installed, {capabilities.JUPYTER}))
    played: dict[str, observing.Seen] = {}
    for aim in (aim for aim in HOSTED if aim.setting == setting):
        if aim.saboteur not in played:
            played[aim.saboteur] = _play(aim, chosen, tmp_path / aim.saboteur)
        # What a saboteur does is no known defect.
        verdict = told(_BY_ID[aim.guarantee], played[aim.saboteur])
        assert verdict.state is State.FAIL, (aim, verdict)
        assert aim.reason in verdict.reason


def _play_with(monkeypatch: pytest.MonkeyPatch, own: tuple[str, ...], installed: dict[str, Capability]) -> None:
    """Have hosts compared with the first of our `own`: a forked kernel needn't import TensorFlow."""
    monkeypatch.setattr(hosts, "OWN", own)
    monkeypatch.setattr(judge, "STANDARD", own[0])
    monkeypatch.setattr(hosts, "hosts", lambda _: installed)


def _play(aim: Aim, stage: Stage, folder: Path) -> observing.Seen:
    folder.mkdir()
    return observing.observe(aim.setting, stage, dataclasses.replace(aim.spec(folder), provisioner=_QUICK))


@pytest.mark.parametrize("scenario", [*RESTARTS, HOSTS_AGREE], ids=lambda one: one.name)
def test_facts_that_are_missing_are_unknown_with_the_reason(scenario: Any) -> None:
    found = verdicts(saw(scenario.settings[0], error="the kernel could not be used"))
    assert found
    assert {(one.state, one.reason) for one in found.values()} == {(State.UNKNOWN, "the kernel could not be used")}


_WELL = {"told": 8, "answered": 8, "blank": True, "generation": 2, "seconds": 3.2}


_HEARD = {"status": "ok", "language": "python", "pid": 7}
_STRUCK = {"ended": "SIGKILL", "in_phase": True, "next": _WELL}
# What is seen beside that which a test is about.
_BESIDE: dict[str, dict[str, object]] = {
    STRUCK_STARTS.name: {"starting": _STRUCK, "restarting": _STRUCK},
    TWO_DEATHS.name: {"deaths": [], "frontend": {"before": _HEARD, "after": _HEARD, "told": [7, 7], "next": _WELL}},
}


def judged(guarantee: str, **facts: object) -> tuple[State, str]:
    (name,) = (one.name for one in RESTARTS if _BY_ID[guarantee].applies(one.settings[0]))
    verdict = _BY_ID[guarantee].judge(saw(Setting("jupyter", name, "sigkill"), {**_BESIDE.get(name, {}), **facts}))
    return verdict.state, verdict.reason


def row(count: int, seconds: float = 3.0) -> list[dict[str, object]]:
    return [{"ended": "SIGKILL", "seconds": seconds} for _ in range(count - 1)] + [{"ended": "SIGKILL"}]


class TestRestartLimit:
    SAID = "the restarter of jupyter_client has given up: the kernel died again and again"

    @pytest.mark.parametrize(
        ("deaths", "said", "state", "reason"),
        [
            (row(6), SAID, State.PASS, "5 restarts, then given up"),
            (row(5), SAID, State.FAIL, "gave up at death 5, not at death 6"),
            (row(7), SAID, State.FAIL, "gave up at death 7, not at death 6"),
            (row(8), "", State.FAIL, "after each of 8 deaths in a row: nobody gave up"),
            (row(2), "the kernel's host is gone", State.FAIL, "by: the kernel's host is gone"),
            (row(6, 9.5), SAID, State.PASS, "5 restarts, then given up"),
            (row(8, 10.0), "", State.UNKNOWN, "took 10.0 s: the restarter did not count the deaths as a row"),
            ([{"ended": "it lives"}, {"ended": "SIGSEGV"}], SAID, State.UNKNOWN, "should die of SIGKILL: it lives"),
        ],
    )
    def test_the_sixth_death_is_the_last(
        self, deaths: list[dict[str, object]], said: str, state: State, reason: str
    ) -> None:
        found, why = judged("restart-limit-is-kept", deaths=deaths, said=said, next=_WELL)
        assert found is state
        assert reason in why

    def test_kernel_that_nobody_can_restart_fails(self) -> None:
        dead = {"error": "the kernel did not start"}
        state, why = judged("restart-limit-is-kept", deaths=row(6), said=self.SAID, next=dead)
        assert (state, "asked for: no process came: the kernel did not start" in why) == (State.FAIL, True)


_BAD = [
    ({"error": "the restarter has given up"}, "no process came: the restarter has given up"),
    ({**_WELL, "answered": 7}, "process 8 was told, and 7 answered"),
    ({**_WELL, "blank": False}, "knew what the old one had been told"),
]


@pytest.mark.parametrize(("after", "reason"), _BAD)
class TestWhatComesAfterADeath:
    @pytest.mark.parametrize(
        ("guarantee", "fact"),
        [("struck-start-is-restarted", "starting"), ("struck-restart-is-restarted", "restarting")],
    )
    def test_of_a_struck_start(self, guarantee: str, fact: str, after: dict[str, object], reason: str) -> None:
        assert judged(guarantee)[0] is State.PASS
        assert judged(guarantee, **{fact: {**_STRUCK, "next": after}}) == (
            State.FAIL,
            f"after that death: {_full(reason)}",
        )

    def test_of_two_deaths(self, after: dict[str, object], reason: str) -> None:
        first, second = ({"ended": "SIGKILL", "next": {**one, "generation": 3}} for one in (_WELL, after))
        first["next"] = _WELL
        state, why = judged("each-death-is-restarted", deaths=[first, second])
        assert (state, why) == (State.FAIL, f"after death 2: {_full(reason)}")

    def test_of_a_restart_with_another_frontend(self, after: dict[str, object], reason: str) -> None:
        heard = {"status": "ok", "language": "python", "pid": 7}
        frontend = {"before": heard, "after": {**heard, "pid": 8}, "told": [7, 8], "next": after}
        state, why = judged("restart-keeps-its-frontends", frontend=frontend)
        assert (state, why) == (State.FAIL, f"after the restart: {_full(reason)}")


def _full(reason: str) -> str:
    return f"the new process {reason}" if reason.startswith("knew") else reason


def test_start_that_was_not_struck_proves_nothing() -> None:
    struck = {**_STRUCK, "in_phase": False}
    assert judged("struck-start-is-restarted", starting=struck)[0] is State.UNKNOWN


def test_generation_that_was_skipped_fails() -> None:
    deaths = [{"ended": "SIGKILL", "next": {**_WELL, "generation": 3}}]
    assert judged("each-death-is-restarted", deaths=deaths) == (State.FAIL, "after death 1 it was generation 3")


class TestFrontends:
    @pytest.mark.parametrize(
        ("before", "after", "state", "reason"),
        [
            (_HEARD, {**_HEARD, "pid": 8}, State.PASS, "7 then 8"),
            (_HEARD, _HEARD, State.FAIL, "after the restart another frontend heard {'status': 'ok'"),
            (_HEARD, {"error": "TimeoutError: no reply"}, State.FAIL, "no reply"),
            ({"error": "no connection"}, _HEARD, State.UNKNOWN, "could connect: no connection"),
        ],
    )
    def test_old_channels_must_lead_to_the_new_process(
        self, before: dict[str, object], after: dict[str, object], state: State, reason: str
    ) -> None:
        frontend = {"before": before, "after": after, "told": [7, 8], "next": _WELL}
        found, why = judged("restart-keeps-its-frontends", frontend=frontend)
        assert found is state
        assert reason in why


_DOWN = {"ended": "SIGKILL", "cause": "signal", "seconds": 5.1, "left": []}


class TestBusyShutdown:
    @pytest.mark.parametrize(
        ("changes", "state", "reason"),
        [
            ({}, State.PASS, "SIGKILL after 5.1 s (is deaf)"),
            ({"seconds": 7.0}, State.PASS, "SIGKILL after 7.0 s (is deaf)"),
            ({"seconds": 7.5}, State.FAIL, "that is deaf was not ended by its manager in 7.5 s"),
            ({"cause": "deadline", "seconds": 8.1}, State.FAIL, "not ended by its manager"),
            ({"left": ["process 9 (sleep)"]}, State.FAIL, "that is deaf left process 9 (sleep)"),
        ],
    )
    def test_the_manager_ends_it_in_time(self, changes: dict[str, object], state: State, reason: str) -> None:
        found, why = judged("busy-kernel-shuts-down", shutdowns={"is deaf": {**_DOWN, **changes}})
        assert found is state
        assert reason in why


class TestHostedImport:
    @pytest.mark.parametrize(
        ("again", "fresh", "state"),
        [
            ("works", "works", State.PASS),
            ("ImportError: already registered", "works", State.FAIL),
            ("ImportError: broken", "works", State.FAIL),
            ("works", "ImportError: broken", State.FAIL),
        ],
    )
    def test_what_is_asked_of_any_kernel_is_asked_of_it(self, again: str, fresh: str, state: State) -> None:
        facts = {"interrupted": "interrupted", "in_phase": True, "again": again, "fresh": fresh}
        assert judged("hosted-import-is-repeatable", **facts)[0] is state


_STANDARD = {"the example gives": 2.0, "sys.exit() in a cell": "it dies of exit code 0", "held": True}
_TIMES = {"noticed": 0.02}


class TestHostsAgree:
    @pytest.mark.parametrize(
        ("changes", "state", "reason"),
        [
            (
                {},
                State.PASS,
                "3 things are the same as in subprocess, but for documented differences",
            ),
            (
                {"sys.exit() in a cell": "it lives, with SystemExit"},
                State.PASS,
                "compared: jupyter (1 documented differences)",
            ),
            (
                {"sys.exit() in a cell": "it lives, with no error"},
                State.FAIL,
                "jupyter: sys.exit() in a cell: 'it lives, with no error', and 'it dies of exit code 0' in subprocess",
            ),
            ({"held": 1.0, "the example gives": None}, State.FAIL, "jupyter: the example gives: None, and 2.0"),
            ({"more": 1}, State.UNKNOWN, "different things were looked at: ['more']"),
        ],
    )
    def test_only_what_is_documented_may_differ(self, changes: dict[str, object], state: State, reason: str) -> None:
        shown = {"subprocess": _STANDARD, "jupyter": {**_STANDARD, **changes}}
        found, why = self.judge(shown)
        assert found is state
        assert reason in why

    def judge(self, shown: dict[str, Any], **facts: object) -> tuple[State, str]:
        found = self.verdict(shown, **facts)
        return found.state, found.said

    def verdict(self, shown: dict[str, Any], **facts: object) -> Verdict:
        times = {host: {**_TIMES, **({"restarted": 3.1} if host == "jupyter" else {})} for host in shown}
        seen = {"hosts": shown, "times": times, "broken": {}, "absent": {}, **facts}
        return _BY_ID["hosts-agree"].judge(saw(HOSTS_AGREE.settings[0], seen))

    def test_what_is_documented_of_one_host_is_not_of_another(self) -> None:
        shown = {
            "subprocess": _STANDARD,
            "forkserver": {**_STANDARD, "sys.exit() in a cell": "it lives, with SystemExit"},
        }
        state, why = self.judge(shown)
        assert (state, "forkserver: sys.exit() in a cell" in why) == (State.FAIL, True)

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    @pytest.mark.parametrize(("in_standard", "state"), [(True, State.PASS), (False, State.FAIL)])
    def test_last_words_may_be_missing_in_jupyter_and_not_in_the_other(
        self, stream: str, in_standard: bool, state: State
    ) -> None:
        name = f"{stream} has the words of the cell that crashes"
        standard, other = {**_STANDARD, name: in_standard}, {**_STANDARD, name: not in_standard}
        assert self.judge({"subprocess": standard, "jupyter": other})[0] is state

    def test_another_set_of_hosts_is_no_other_reason(self) -> None:
        few = self.verdict({"subprocess": _STANDARD, "jupyter": _STANDARD}, absent={"spyder": "not installed"})
        forgiving = {**_STANDARD, "sys.exit() in a cell": "it lives, with SystemExit"}
        many = self.verdict(
            {"subprocess": _STANDARD, "forkserver": _STANDARD, "jupyter": _STANDARD, "spyder": forgiving}
        )
        assert few.state is many.state is State.PASS
        assert few.reason == many.reason
        assert few.given == (
            "compared: jupyter; restarted unasked: jupyter after 3.1 s; not compared: spyder (not installed)"
        )
        assert many.given.startswith("compared: forkserver, jupyter, spyder (1 documented differences);")

    @pytest.mark.parametrize("absent", [{}, {"spyder": "not installed"}])
    def test_nor_is_it_of_one_that_fails(self, absent: dict[str, str]) -> None:
        shown = {"subprocess": _STANDARD, "jupyter": {**_STANDARD, "held": False}}
        found = self.verdict(shown, absent=absent)
        assert (found.state, found.reason) == (State.FAIL, "jupyter: held: False, and True in subprocess")

    def test_one_host_agrees_with_nobody(self) -> None:
        found = self.verdict({"subprocess": _STANDARD}, absent={"jupyter": "not installed"})
        assert found == Verdict.unknown("there are no two hosts to compare", "not compared: jupyter (not installed)")

    @pytest.mark.parametrize(
        ("host", "seen", "state"),
        [
            ("jupyter", {"the example gives": 2.0}, State.FAIL),
            ("jupyter", {}, State.UNKNOWN),
            ("subprocess", _STANDARD, State.UNKNOWN),
        ],
    )
    def test_kernel_that_broke_off_disagrees_if_it_had_begun(
        self, host: str, seen: dict[str, object], state: State
    ) -> None:
        shown = {"subprocess": _STANDARD, "jupyter": seen}
        found, why = self.judge(shown, broken={host: "the kernel died"})
        assert (found, "the kernel died" in why) == (state, True)

    def test_each_difference_has_its_reason(self) -> None:
        assert all(one.why and one.hosts for one in DIFFERENCES)
        assert len({(one.hosts, one.what) for one in DIFFERENCES}) == len(DIFFERENCES)
