"""What the manager and the restarter of a host must make of deaths and interrupts."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts, plain
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.guarantees.interrupts import import_is_repeatable
from pytest_tfkernel.suite.scenarios import busy, hosted_imports, imports
from pytest_tfkernel.suite.scenarios.restarts import (
    LIMIT,
    RESTARTS,
    STARTS,
    Heard,
    RowOfDeaths,
    Struck,
    StruckStarts,
    Successor,
    TwoDeaths,
)

# Of jupyter_client's KernelRestarter: `restart_limit`, and `stable_start_time`. A process that has lived longer than
# that is none of a row.
RESTART_LIMIT, STABLE_SECONDS = 5, 10.0
# Of its KernelManager: `shutdown_wait_time`, and what a death and its notice take beside it.
SHUTDOWN_SECONDS, MARGIN_SECONDS = 5.0, 2.0
_GIVEN_UP = "given up"
_KILLED = "SIGKILL"


@guarantee(LIMIT, where=f"trials of `{LIMIT}`", applies=has_example_of(LIMIT), control="stays_down")
def restart_limit_is_kept(seen: Facts[RowOfDeaths]) -> Verdict:
    """After five restarts in a row the sixth death is the last: the host says so, and a requested restart works."""
    if seen.error:
        return Verdict.unknown(seen.error)
    deaths, said = seen.facts.deaths, seen.facts.said
    unstruck = [death.ended for death in deaths if death.ended != _KILLED]
    if unstruck:
        return Verdict.unknown(f"a kernel that should die of {_KILLED}: {unstruck[0]}")
    slowest = max((death.seconds or 0.0 for death in deaths), default=0.0)
    if slowest >= STABLE_SECONDS:
        return Verdict.unknown(f"a restart took {slowest:.1f} s: the restarter did not count the deaths as a row")
    if said and _GIVEN_UP not in said:
        return Verdict.failed(f"death {len(deaths)} was not answered by a restart, but by: {said}")
    if not said:
        return Verdict.failed(f"it was restarted after each of {len(deaths)} deaths in a row: nobody gave up")
    if len(deaths) != RESTART_LIMIT + 1:
        return Verdict.failed(f"the host gave up at death {len(deaths)}, not at death {RESTART_LIMIT + 1}")
    wrong = _wrong(seen.facts.next)
    if wrong:
        return Verdict.failed(f"after the host had given up, a restart that was asked for: {wrong}")
    return Verdict.passed(f"{RESTART_LIMIT} restarts, then given up; slowest {slowest:.1f} s; asked, it restarted")


@guarantee(
    "struck-start-is-restarted", where=f"trials of `{STARTS}`", applies=has_example_of(STARTS), control="starts_once"
)
def struck_start_is_restarted(seen: Facts[StruckStarts]) -> Verdict:
    """When a new process dies before its first word, the host starts another one, which works."""
    return Verdict.unknown(seen.error) if seen.error else _after_struck_start(seen.facts.starting)


@guarantee(
    "struck-restart-is-restarted", where=f"trials of `{STARTS}`", applies=has_example_of(STARTS), control="starts_once"
)
def struck_restart_is_restarted(seen: Facts[StruckStarts]) -> Verdict:
    """When the new process of a requested restart dies before its first word, the host starts one more, which works."""
    return Verdict.unknown(seen.error) if seen.error else _after_struck_start(seen.facts.restarting)


def _after_struck_start(struck: Struck) -> Verdict:
    if struck.ended != _KILLED or not struck.in_phase:
        return Verdict.unknown(f"the new process was not struck before its first word: {struck.ended}")
    wrong = _wrong(struck.next)
    return Verdict.failed(f"after that death: {wrong}") if wrong else _restarted([struck.next])


@guarantee(
    "each-death-is-restarted", where=f"trials of `{RESTARTS}`", applies=has_example_of(RESTARTS), control="remembers"
)
def each_death_is_restarted(seen: Facts[TwoDeaths]) -> Verdict:
    """Of two deaths in a row each is followed by a new process, which is started unasked, works, and knows nothing."""
    if seen.error:
        return Verdict.unknown(seen.error)
    deaths = seen.facts.deaths
    for number, death in enumerate(deaths, 1):
        if death.ended != _KILLED:
            return Verdict.unknown(f"at its death {number}: {death.ended}")
        wrong = _wrong(death.next)
        if wrong:
            return Verdict.failed(f"after death {number}: {wrong}")
        if death.next.generation != number + 1:
            return Verdict.failed(f"after death {number} it was generation {death.next.generation}")
    return _restarted([death.next for death in deaths])


@guarantee(
    "restart-keeps-its-frontends",
    where=f"trials of `{RESTARTS}`",
    applies=has_example_of(RESTARTS),
    control="gives_a_false_pid",
)
def restart_keeps_its_frontends(seen: Facts[TwoDeaths]) -> Verdict:
    """After a requested restart the process that was told answers `kernel_info` and cells on the old one's channels."""
    if seen.error:
        return Verdict.unknown(seen.error)
    frontend = seen.facts.frontend
    if frontend.before.error is not None:
        return Verdict.unknown(f"no other frontend could connect: {frontend.before.error}")
    wrong = _wrong(frontend.next)
    if wrong:
        return Verdict.failed(f"after the restart: {wrong}")
    before, after = frontend.told
    for when, heard, told in (("before", frontend.before, before), ("after", frontend.after, after)):
        expected = Heard(status="ok", language="python", pid=told)
        if heard != expected:
            return Verdict.failed(f"{when} the restart another frontend heard {plain(heard)}, not {plain(expected)}")
    return Verdict.passed(f"a frontend from before the restart reached the new process: {before} then {after}")


@guarantee(busy.NAME, where=f"trials of `{busy.NAME}`", applies=has_example_of(busy.NAME), control="leaves_an_orphan")
def busy_kernel_shuts_down(seen: Facts[busy.Shutdowns]) -> Verdict:
    """A shutdown ends a kernel whose cell runs for ever within the 5 s of its manager, and nothing of it is left."""
    if seen.error:
        return Verdict.unknown(seen.error)
    shutdowns = seen.facts.shutdowns
    for name, shutdown in shutdowns.items():
        seconds = shutdown.seconds
        if shutdown.cause == "deadline" or seconds > SHUTDOWN_SECONDS + MARGIN_SECONDS:
            return Verdict.failed(f"a kernel that {name} was not ended by its manager in {seconds:.1f} s")
        if shutdown.left:
            return Verdict.failed(f"a kernel that {name} left {', '.join(shutdown.left)}")
    shown = "; ".join(f"{one.ended} after {one.seconds:.1f} s ({name})" for name, one in shutdowns.items())
    return Verdict.passed(shown)


@guarantee(
    hosted_imports.NAME,
    where=f"trials of `{hosted_imports.NAME}`",
    applies=has_example_of(hosted_imports.NAME),
    control="breaks_its_imports",
)
def hosted_import_is_repeatable(seen: Facts[imports.Imports]) -> Verdict:
    """An `import tensorflow` that the host interrupts can be repeated, in the same process and after a restart."""
    return import_is_repeatable.decide(seen)


def _wrong(after: Successor) -> str:
    """What is wrong with the process that came after a death; nothing when all is well."""
    if after.error is not None:
        return f"no process came: {after.error}"
    if after.told != after.answered:
        return f"process {after.told} was told, and {after.answered} answered"
    if not after.blank:
        return "the new process knew what the old one had been told"
    return ""


def _restarted(successors: list[Successor]) -> Verdict:
    return Verdict.passed("restarted after " + ", ".join(f"{one.seconds:.1f} s" for one in successors))
