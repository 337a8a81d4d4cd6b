"""For how long a choice of devices and threads lasts."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.configuration import DEFAULT, FIRST, NAME, SECOND, SESSIONS, Choices

# RuntimeErrors in 1.15 (eagerly), 2.15 and 2.21; tensorflow/python/eager/context.py has them all.
REFUSALS = {
    "logical": "Virtual devices cannot be modified after being initialized",
    "visible": "Visible devices cannot be modified after being initialized",
    "intra": "Intra op parallelism cannot be modified after initialization",
    "inter": "Inter op parallelism cannot be modified after initialization",
}


@guarantee(
    NAME,
    where=f"the trial of `{NAME}`",
    applies=has_example_of(NAME),
    control="thaws_its_configuration",
)
def configuration_is_per_process(seen: Facts[Choices]) -> Verdict:
    """Devices and threads can't be changed after initialisation; a new process begins with none and chooses anew."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    for name, process, chosen in (("first", facts.first, FIRST), ("second", facts.second, SECOND)):
        if process.before != DEFAULT:
            return Verdict.failed(f"the {name} process began with {process.before}, not {DEFAULT}")
        if process.after != chosen:
            return Verdict.failed(f"the {name} process chose {chosen}, and got {process.after}")
        for what, message in REFUSALS.items():
            change = process.changes[what]
            if change.error != "RuntimeError" or message not in change.message:
                shown = f"{change.error}: {change.message}" if change.error is not None else "no error"
                return Verdict.failed(f"a late change ({what}) in the {name} process gave {shown}, not {message!r}")
        if process.late != chosen:
            return Verdict.failed(f"after refused changes the {name} process had {process.late}, not {chosen}")
    if facts.sessions != list(SESSIONS):
        return Verdict.failed(f"two sessions were to have {SESSIONS} CPUs, and had {facts.sessions}")
    return Verdict.passed(f"{len(REFUSALS)} late changes refused; two processes chose differently")
