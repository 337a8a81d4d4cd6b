"""What must hold of state that is kept outside a session, and of sessions outside their process."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Setting, Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.checkpoint import SaveDeath, Saves
from pytest_tfkernel.suite.scenarios.live_fork import STANDARD, Forks
from pytest_tfkernel.suite.scenarios.server import Clients

_UNINITIALISED = "FailedPreconditionError"
_SUM = 5.0
_DEADLY = ("hangs", "aborts")
# What a fork of a kernel with a session may do, by the API: that of TensorFlow 1, or a later one. That a session can't
# be used in a fork is by design (tensorflow#2448). Hanging is measured with 2.21, 2.15 and 1.15.5 on CPU; aborting is
# what it does with a GPU (tensorflow#57877). The eager op is a large matrix product: smaller ones run in the caller's
# thread, in 1.15 also others.
FORKS: dict[str, dict[str, tuple[str, ...]]] = {
    "open_session": {"1": _DEADLY, "2": _DEADLY},
    "new_session": {"1": _DEADLY, "2": _DEADLY},
    "after_closed_session": {"1": _DEADLY, "2": _DEADLY},
    "eager": {"1": (*_DEADLY, "works"), "2": _DEADLY},
}
# Where a GPU is, the driver refuses each call of such a fork (CUDA_ERROR_NOT_INITIALIZED, measured on an H200), and
# whoever asks it first may say so.
_REFUSED = "error: InternalError"


def _is_checkpoint(setting: Setting) -> bool:
    return setting.example.startswith("checkpoint-outlives-")


@guarantee(
    "checkpoint-outlives",
    where="trials of `checkpoint-outlives-saver`, `-eager` and `-graph`",
    applies=_is_checkpoint,
    control="empties_its_folder",
)
def checkpoint_outlives(seen: Facts[Saves]) -> Verdict:
    """What was saved is there after death; a kill while saving leaves the last complete checkpoint readable."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    for death in facts.deaths:
        lost = _lost(death)
        if lost:
            return Verdict.failed(f"killed {_when(death)}: {lost}")
    struck = [death for death in facts.deaths if death.saving is not None and death.ended == "SIGKILL"]
    missed = {str(moment) for moment in facts.moments} - {str(death.moment) for death in struck}
    if missed or not struck:
        return Verdict.unknown(f"every save was over when it should be struck, at {', '.join(sorted(missed))} of it")
    if not any(death.unfinished for death in struck):
        return Verdict.unknown(f"none of {len(struck)} kills in a save left an unfinished file")
    moments = len(facts.moments)
    return Verdict.passed(
        f"killed at {moments} moments of saves, with unfinished files; the newest was whole each time"
    )


def _lost(death: SaveDeath) -> str:
    """What is wrong with what the next kernel found; nothing when all is well."""
    after = death.after
    if after.error is not None:
        return f"the newest checkpoint could not be restored: {after.error}"
    newest, complete, saving = after.newest, death.complete, death.saving
    if newest is None:
        return f"no checkpoint was found, though {complete} was complete"
    if newest not in (complete, saving):
        return f"checkpoint {newest} was found, though {complete} was complete"
    if after.read is None or any(one != newest for one in after.read):
        return f"checkpoint {newest} was restored to {after.read}"
    return ""


def _when(death: SaveDeath) -> str:
    return "between saves" if death.saving is None else f"while saving {death.saving}"


@guarantee(
    "server-state-outlives-client",
    where="the trial of `server-state-outlives-client`",
    applies=has_example_of("server-state-outlives-client"),
    control="initialises_again",
)
def server_state_outlives_client(seen: Facts[Clients]) -> Verdict:
    """A variable on a `tf.distribute.Server` survives its client's death, and dies with the server."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    if facts.set != [2.0, 2.0]:
        return Verdict.unknown(f"the first client read {facts.set}, not 2.0: what follows would prove nothing")
    if (facts.client_ended, facts.server_ended) != ("SIGKILL", "SIGKILL"):
        return Verdict.unknown(f"client and server ended with {facts.client_ended} and {facts.server_ended}")
    if facts.found != [2.0, 2.0]:
        return Verdict.failed(f"after the client's death the next one read {facts.found}, not 2.0")
    if facts.found_after_server != [_UNINITIALISED, _UNINITIALISED]:
        return Verdict.failed(f"after the server's death a client read {facts.found_after_server}")
    if facts.initialised != [1.0, 1.0]:
        return Verdict.failed(f"on the new server the initializer gave {facts.initialised}, not 1.0")
    return Verdict.passed("2.0 for the next client; uninitialised on the next server, then 1.0")


@guarantee(
    "live-fork-is-unusable",
    where="the trial of `live-fork-is-unusable`",
    applies=has_example_of("live-fork-is-unusable"),
    control="answers_in_forks",
)
def live_fork_is_unusable(seen: Facts[Forks]) -> Verdict:
    """A `Session.run` in a fork of a process with a session hangs or aborts, is found and ended; new kernels work."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    forks = {name: fork.outcome for name, fork in facts.forks.items()}
    if facts.live != [_SUM] * len(facts.live) or forks["python"] != "works: 2":
        return Verdict.unknown(f"the kernels gave {facts.live}, and a fork without TensorFlow {forks['python']!r}")
    api = "1" if facts.has_sessions else "2"
    shown = ", ".join(f"{name} {said}" for name, said in forks.items() if name != "python")
    for name, documented in FORKS.items():
        is_refused = bool(facts.gpus) and forks[name] == _REFUSED
        if not is_refused and forks[name].split(":")[0] not in documented[api]:
            return Verdict.failed(f"{name} in a fork: {forks[name]}, which isn't documented ({shown})")
    unnamed = [name for name, fork in facts.forks.items() if fork.outcome == "hangs" and not fork.named]
    if unnamed:
        return Verdict.failed(f"the fork that hangs was not found among the kernel's processes: {', '.join(unnamed)}")
    if facts.left:
        return Verdict.failed(f"could not be ended: {', '.join(facts.left)}")
    broken = _broken(facts)
    if broken:
        return Verdict.failed(broken)
    library = facts.library
    standard = " of the standard library: multiprocess isn't installed there" if library == STANDARD else ""
    return Verdict.passed(shown, f"children by {library}{standard}")


def _broken(facts: Forks) -> str:
    """What is wrong with processes that began anew; nothing when all is well."""
    for method, said in facts.children.items():
        if said != f"works: {_SUM}":
            return f"a new process by {method} of {facts.library}: {said}, instead of {_SUM}"
    for provisioner, result in facts.beside.items():
        if result != _SUM:
            return f"a new kernel started by {provisioner} gave {result}, not {_SUM}"
    return ""
