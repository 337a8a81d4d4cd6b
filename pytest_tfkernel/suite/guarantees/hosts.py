"""In what the kernels of different hosts may differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.hosted import HOSTS
from pytest_tfkernel.suite.scenarios.hosts import ITS_HOST, NAME, NO_SCRIPTS, STANDARD, SideBySide, Times


@dataclass(frozen=True)
class HostDifference:
    """What an observation may be in kernels of these hosts, where it isn't what it is in the standard one, and why."""

    hosts: tuple[str, ...]
    what: str
    value: Any
    why: str


# All that may differ; measured with ipykernel 6.31 and 7.4, spyder-kernels 3.1.6 and jupyter_client 8.10.
DIFFERENCES = (
    HostDifference(
        HOSTS,
        "error of tf-index-error",
        "InvalidArgumentError",
        "Jupyter's messages carry the name of an error without its module",
    ),
    HostDifference(HOSTS, "the value of `2.0;`", None, "IPython shows no value of a cell that ends with a semicolon"),
    HostDifference(
        HOSTS,
        "sys.exit() in a cell",
        "it lives, with SystemExit",
        "IPython takes it for an error of the cell",
    ),
    HostDifference(
        HOSTS,
        "an uncaught error of a script",
        NO_SCRIPTS,
        "every cell is interactive, and an error of one never ends the kernel",
    ),
    HostDifference(
        HOSTS,
        "who restarts it unasked",
        ITS_HOST,
        "jupyter_client looks every 3 s whether the kernel lives, and starts another one, five times in a row at most",
    ),
    *(
        HostDifference(
            HOSTS,
            f"{stream} has the words of the cell that crashes",
            value=False,
            why="ipykernel publishes what is printed from a thread of its own, at the latest 0.2 s later",
        )
        for stream in ("stdout", "stderr")
    ),
)


@guarantee(NAME, where=f"the trial of `{NAME}`", applies=has_example_of(NAME), control="keeps_its_stack_from_hosts")
def hosts_agree(seen: Facts[SideBySide]) -> Verdict:
    """Kernels of all hosts that are installed differ from one of `subprocess` only where that is documented."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    others = {host: shown for host, shown in facts.hosts.items() if host != STANDARD}
    missing = ", ".join(f"{host} ({why})" for host, why in facts.absent.items())
    absent = f"not compared: {missing}" if missing else ""
    if STANDARD in facts.broken:
        return Verdict.unknown(f"{STANDARD}, with which the others are compared: {facts.broken[STANDARD]}", absent)
    if not others or STANDARD not in facts.hosts:
        return Verdict.unknown("there are no two hosts to compare", absent)
    standard = facts.hosts[STANDARD]
    found: list[str] = []
    unseen: list[str] = []
    compared: list[str] = []
    for host, shown in others.items():
        different = [name for name in standard if name in shown and shown[name] != standard[name]]
        undocumented = [name for name in different if not _is_documented(host, name, shown[name])]
        documented = len(different) - len(undocumented)
        compared.append(f"{host} ({documented} documented differences)" if documented else host)
        found += [f"{host}: {name}: {shown[name]!r}, and {standard[name]!r} in {STANDARD}" for name in undocumented]
        if host in facts.broken:
            # One that showed nothing at all could not be looked at.
            (found if shown else unseen).append(f"{host}: could not be played to its end: {facts.broken[host]}")
        elif shown.keys() != standard.keys():
            unseen.append(f"{host}: different things were looked at: {sorted(shown.keys() ^ standard.keys())}")
    # What is installed, and with that who is compared, is no behaviour of anybody's.
    given = "; ".join(filter(None, (f"compared: {', '.join(compared)}", _restarts(facts.times), absent)))
    if found:
        return Verdict.failed("; ".join(found), given)
    if unseen:
        return Verdict.unknown("; ".join(unseen), given)
    noticed = max(one.noticed for one in facts.times.values())
    return Verdict.passed(
        f"{len(standard)} things are the same as in {STANDARD}, but for documented differences; each death known within"
        f" {noticed:.2f} s",
        given,
    )


def _is_documented(host: str, name: str, value: Any) -> bool:
    return any(host in one.hosts and name == one.what and value == one.value for one in DIFFERENCES)


def _restarts(times: dict[str, Times]) -> str:
    shown = [f"{host} after {one.restarted:.1f} s" for host, one in times.items() if one.restarted is not None]
    return f"restarted unasked: {', '.join(shown) or 'none'}"
