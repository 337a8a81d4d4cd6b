"""How a kernel's process comes to be: everything that is true of one provisioner, and its own parameters.

A new one is a class here, a line in `PROVISIONERS`, and what makes its processes in `kernels/provisioners/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from pytest_tfkernel.model.errors import SpecError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# The manager of jupyter_client kills after 5 s by itself.
_SECONDS, _MANAGED_SECONDS = 5.0, 8.0


@dataclass(frozen=True)
class Need:
    """What the interpreter of a kernel must have: a module, the package that brings it, and what that makes possible.

    `capability` is its name among those of a machine, and `summary` the same in words.
    """

    capability: str
    summary: str
    module: str
    package: str


class Provisioner(Protocol):
    """What is true of one.

    `name` is the short form in a spec. Where it `restarts_unasked`, somebody else's manager starts a kernel again that
    has died. A kernel that `runs_scripts` ends with an uncaught error of a cell that isn't interactive. One that
    `is_cold` comes without TensorFlow. It has `shutdown_seconds` to end when it is asked to.
    """

    need: ClassVar[Need | None]
    restarts_unasked: ClassVar[bool]
    runs_scripts: ClassVar[bool]
    is_cold: ClassVar[bool]
    shutdown_seconds: ClassVar[float]

    @property
    def name(self) -> str:
        """As it stands in a spec."""

    def check(self) -> None:
        """Raise SpecError for parameters that can't work."""


@runtime_checkable
class Managed(Provisioner, Protocol):
    """One whose kernels are kept by the manager of somebody else. `arguments` are what their interpreter runs."""

    arguments: ClassVar[tuple[str, ...]]

    @property
    def kernelspec(self) -> str | None:
        """The name of one that is installed, and runs in the place of interpreter and arguments."""

    @property
    def restart_poll(self) -> float | None:
        """How often, in seconds, the restarter looks for a death; None for its own pace."""


@dataclass(frozen=True)
class Subprocess:
    """A fresh interpreter for every kernel: cold, and exactly what a user's own `python` does."""

    need: ClassVar[Need | None] = None
    restarts_unasked: ClassVar[bool] = False
    runs_scripts: ClassVar[bool] = True
    is_cold: ClassVar[bool] = True
    shutdown_seconds: ClassVar[float] = _SECONDS

    @property
    def name(self) -> str:
        """As it stands in a spec."""
        return "subprocess"

    def check(self) -> None:
        """See `Provisioner`."""


@dataclass(frozen=True)
class ForkServer:
    """Forked from a process that has imported the modules of `preload` (default: tensorflow), and done nothing else."""

    preload: tuple[str, ...] | None = None

    need: ClassVar[Need | None] = None
    restarts_unasked: ClassVar[bool] = False
    runs_scripts: ClassVar[bool] = True
    is_cold: ClassVar[bool] = False
    shutdown_seconds: ClassVar[float] = _SECONDS

    @property
    def name(self) -> str:
        """As it stands in a spec."""
        return "forkserver"

    @property
    def modules(self) -> tuple[str, ...]:
        """Those that are imported."""
        return ("tensorflow",) if self.preload is None else self.preload

    def check(self) -> None:
        """See `Provisioner`."""
        names = self.preload
        if names is not None and not (isinstance(names, tuple) and all(isinstance(one, str) for one in names)):
            raise SpecError(f"preload={names!r} must be a tuple of strings: write ('name',) with a comma")


@dataclass(frozen=True)
class Multiprocess:
    """A `multiprocess.Process`, by the start method `spawn`, `forkserver` or `fork`, in a host process of its own."""

    method: str = "spawn"

    need: ClassVar[Need | None] = Need("multiprocess", "multiprocess", "multiprocess", "multiprocess")
    restarts_unasked: ClassVar[bool] = False
    runs_scripts: ClassVar[bool] = True
    is_cold: ClassVar[bool] = False
    shutdown_seconds: ClassVar[float] = _SECONDS
    methods: ClassVar[tuple[str, ...]] = ("spawn", "forkserver", "fork")

    @property
    def name(self) -> str:
        """As it stands in a spec."""
        return f"multiprocess-{self.method}"

    def check(self) -> None:
        """See `Provisioner`."""
        if self.method not in self.methods:
            raise SpecError(f"method={self.method!r} is unknown: choose from {', '.join(self.methods)}")


@dataclass(frozen=True)
class Jupyter:
    """A kernel of Jupyter's: ipykernel under the manager and the restarter of jupyter_client.

    `kernelspec` names one that is installed, whose own interpreter runs then. `restart_poll` is how often, in seconds,
    the restarter looks for a death (default: jupyter_client's, 3 s).
    """

    kernelspec: str | None = None
    restart_poll: float | None = None

    need: ClassVar[Need | None] = Need("jupyter", "Jupyter kernels", "ipykernel", "ipykernel")
    restarts_unasked: ClassVar[bool] = True
    runs_scripts: ClassVar[bool] = False
    is_cold: ClassVar[bool] = False
    shutdown_seconds: ClassVar[float] = _MANAGED_SECONDS
    arguments: ClassVar[tuple[str, ...]] = ("-m", "ipykernel_launcher", "-f", "{connection_file}")

    @property
    def name(self) -> str:
        """As it stands in a spec."""
        return "jupyter"

    def check(self) -> None:
        """See `Provisioner`."""
        if not isinstance(self.kernelspec, str | None):
            raise SpecError(
                f"kernelspec={self.kernelspec!r} must be a string: name one that `jupyter kernelspec list` shows"
            )
        _check_poll(self.restart_poll)


@dataclass(frozen=True)
class Spyder:
    """A kernel of Spyder's: `spyder_kernels.console`, started as Spyder starts its consoles.

    `restart_poll` is how often, in seconds, the restarter looks for a death (default: jupyter_client's, 3 s).
    """

    restart_poll: float | None = None

    need: ClassVar[Need | None] = Need("spyder", "Spyder kernels", "spyder_kernels", "spyder-kernels")
    restarts_unasked: ClassVar[bool] = True
    runs_scripts: ClassVar[bool] = False
    is_cold: ClassVar[bool] = False
    shutdown_seconds: ClassVar[float] = _MANAGED_SECONDS
    arguments: ClassVar[tuple[str, ...]] = ("-m", "spyder_kernels.console", "-f", "{connection_file}")

    @property
    def kernelspec(self) -> None:
        """Spyder starts its consoles without one."""

    @property
    def name(self) -> str:
        """As it stands in a spec."""
        return "spyder"

    def check(self) -> None:
        """See `Provisioner`."""
        _check_poll(self.restart_poll)


def _check_poll(seconds: object) -> None:
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        raise SpecError(f"restart_poll={seconds!r} must be seconds above 0")


PROVISIONERS: tuple[Provisioner, ...] = (
    Subprocess(),
    ForkServer(),
    Jupyter(),
    Spyder(),
    *(Multiprocess(method) for method in Multiprocess.methods),
)
NAMES = tuple(one.name for one in PROVISIONERS)
_BY_NAME = {one.name: one for one in PROVISIONERS}
_KINDS = tuple(dict.fromkeys(map(type, PROVISIONERS)))


def chosen(given: str | Provisioner) -> Provisioner:
    """The one that a spec names, or has. Raises SpecError, in one line that says what to write."""
    if isinstance(given, type) and given in _KINDS:
        raise SpecError(f"provisioner={given.__name__} is a class: write {given.__name__}()")
    if isinstance(given, str) and given in _BY_NAME:
        return _BY_NAME[given]
    if isinstance(given, str) or type(given) not in _KINDS:
        raise SpecError(f"provisioner={given!r} is unknown: choose from {', '.join(NAMES)}")
    given.check()
    return given


def named(name: str, like: Provisioner) -> Provisioner:
    """The one of a name, with those parameters of another one that it takes as well."""
    found = chosen(name)
    if type(found) is type(like) and found.name != like.name:
        # By another start method, and that is all it takes.
        return found
    taken = {field.name for field in dataclasses.fields(found)}  # type: ignore[arg-type]  # each is a dataclass
    same = {name: value for name, value in vars(like).items() if name in taken}
    return dataclasses.replace(found, **same)  # type: ignore[type-var]


def capability_of(name: str) -> str:
    """That which a machine must have for a provisioner of this name; "" for none, and for a name that isn't known."""
    found = _BY_NAME.get(name)
    return found.need.capability if found is not None and found.need is not None else ""


# What were fields of every spec, and whose parameters they are now.
_MOVED: dict[str, tuple[type[ForkServer | Jupyter | Spyder], ...]] = {
    "preload": (ForkServer,),
    "kernelspec": (Jupyter,),
    "restart_poll": (Jupyter, Spyder),
}


def respelled(fields: Mapping[str, object]) -> str:
    """What to write for a field of a spec that moved to its provisioner; "" where none of these did."""
    for name, kinds in _MOVED.items():
        if name in fields:
            given = fields.get("provisioner")
            kind = next((one for one in kinds if given == one().name or isinstance(given, one)), kinds[0]).__name__
            value = fields[name]
            what = "leave it out" if value is None else f"write provisioner={kind}({name}={value!r})"
            return f"{name}={value!r} is not a field of a spec but a parameter of its provisioner: {what}"
    return ""
