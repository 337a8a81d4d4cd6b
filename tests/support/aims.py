"""Saboteurs, and the guarantees at which they aim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting

FOLDER = Path(__file__).parents[1] / "saboteurs"
# A startup cell: an import of TensorFlow that is about to be interrupted goes on only when that has come. It may come
# before we wait for it, to any thread, and so is waited for where Python's own handler writes.
HELD_IMPORT = """\
import signal, socket, sys

class _Hold:
    def __init__(self):
        self.phase = None

    def find_spec(self, name, path=None, target=None):
        if name in ("tensorflow", "tensorflow_core"):
            self.phase = next((one for one in sys.meta_path if type(one).__name__ == "_TfkernelPhase"), self.phase)
        if self.phase is not None and self.phase not in sys.meta_path:
            # It has said that it is there, and has gone.
            sys.meta_path.remove(self)
            reader.settimeout(30.0)
            reader.recv(1)
            signal.set_wakeup_fd(before)

reader, writer = socket.socketpair()
writer.setblocking(False)
before = signal.set_wakeup_fd(writer.fileno())
sys.meta_path.insert(0, _Hold())
"""


# Their kernels import TensorFlow, or start, again and again. A run of the suite of the usual size plays them with honest
# kernels.
_LONG = {
    "live-fork-is-unusable",
    "warm-equals-cold",
    "struck-starts",
    "hosted-import-is-repeatable",
    "import-is-repeatable",
    "restart-limit-is-kept",
}


def honest(settings: Iterable[Setting]) -> list[Any]:
    """To be played by honest kernels: those that take long in the soak."""
    return [pytest.param(one, id=str(one), marks=[pytest.mark.soak] * (one.example in _LONG)) for one in settings]


@dataclass(frozen=True)
class Aim:
    """A saboteur, the guarantee that it breaks, where, and a part of what the judge says then."""

    saboteur: str
    guarantee: str
    setting: Setting
    reason: str

    def __str__(self) -> str:
        return f"{self.saboteur}-{self.guarantee}"

    def spec(self, folder: Path) -> KernelSpec:
        """Of a kernel that is this saboteur; its generations know each other by what is in `folder`."""
        startup = (FOLDER / f"{self.saboteur}.py").read_text(encoding="utf-8")
        return KernelSpec(
            startup=f"{HELD_IMPORT}{startup}" if self.setting.phase == "importing" else startup,
            environment={"SABOTEUR_FOLDER": str(folder)},
        )


def warm(example: str, fault: str = "none") -> Setting:
    return Setting("forkserver", example, fault)


# Played in tests/suite/test_scenarios_isolation.py.
ISOLATION = (
    Aim("is_never_eager", "eager-needs-graph", warm("eager-needs-graph"), "began in graph mode"),
    Aim("answers_for_the_dead", "old-state-is-refused", warm("old-state-is-refused", "sigkill"), "was accepted"),
    Aim("mourns_its_neighbour", "neighbour-is-unharmed", warm("neighbour-is-unharmed", "sigkill"), "'value': 1.0"),
    Aim("shares_its_variable", "names-are-private", warm("names-are-private"), "read [["),
    Aim(
        "thaws_its_configuration",
        "configuration-is-per-process",
        warm("configuration-is-per-process"),
        "(intra) in the first process gave no error",
    ),
    Aim(
        "starts_configured",
        "configuration-is-per-process",
        warm("configuration-is-per-process"),
        "began with {'logical': None, 'intra': 0, 'inter': 3}",
    ),
    Aim(
        "ignores_interrupts",
        "interrupt-is-heard",
        Setting("forkserver", "interrupt-is-heard", "interrupt", "running"),
        "not heard",
    ),
    Aim(
        "shows_that_it_is_warm", "warm-equals-cold", warm("warm-equals-cold", "sigkill"), "umask: '0000' in the forked"
    ),
    Aim(
        "breaks_its_imports",
        "import-is-repeatable",
        Setting("subprocess", "import-is-repeatable", "interrupt", "importing"),
        "once was enough",
    ),
    Aim("seeds_its_random_state", "random-state-is-fresh", warm("random-state-is-fresh"), "random, numpy.random"),
)


def _hosted(example: str, fault: str = "sigkill", phase: str = "idle") -> Setting:
    return Setting("jupyter", example, fault, phase)


# Played in tests/suite/test_scenarios_hosts.py.
HOSTED = (
    Aim(
        "stays_down",
        "restart-limit-is-kept",
        _hosted("restart-limit-is-kept"),
        "a restart that was asked for: no process came",
    ),
    Aim(
        "starts_once",
        "struck-start-is-restarted",
        _hosted("struck-starts", phase="starting"),
        "no process came: the restarter of jupyter_client has given up",
    ),
    Aim(
        "starts_once",
        "struck-restart-is-restarted",
        _hosted("struck-starts", phase="starting"),
        "no process came: the restarter of jupyter_client has given up",
    ),
    Aim("remembers", "each-death-is-restarted", _hosted("restarts"), "knew what the old one had been told"),
    Aim("gives_a_false_pid", "restart-keeps-its-frontends", _hosted("restarts"), "was told, and 1 answered"),
    Aim(
        "leaves_an_orphan",
        "busy-kernel-shuts-down",
        _hosted("busy-kernel-shuts-down", "none", "running"),
        "heeds interrupts left process ",
    ),
    Aim(
        "breaks_its_imports",
        "hosted-import-is-repeatable",
        _hosted("hosted-import-is-repeatable", "interrupt", "importing"),
        "once was enough",
    ),
    Aim(
        "keeps_its_stack_from_hosts",
        "hosts-agree",
        Setting("subprocess", "hosts-agree", "sigkill"),
        "jupyter: the stack of a crash: False, and True in ",
    ),
)

# Played in tests/suite/test_scenarios_state.py.
STATE = (
    Aim(
        "empties_its_folder",
        "checkpoint-outlives",
        Setting("forkserver", "checkpoint-outlives-saver", "sigkill", "saving"),
        "no checkpoint was found, though",
    ),
    Aim(
        "initialises_again",
        "server-state-outlives-client",
        warm("server-state-outlives-client", "sigkill"),
        "the next one read [1.0, 1.0]",
    ),
    Aim(
        "answers_in_forks",
        "live-fork-is-unusable",
        warm("live-fork-is-unusable"),
        "open_session in a fork: works: 5.0",
    ),
)
