"""In which settings a guarantee is asked."""

from __future__ import annotations

from collections.abc import Callable

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.trials import NO_FAULT, Setting
from pytest_tfkernel.trials.examples import EXAMPLES


def has_example(setting: Setting) -> bool:
    """A trial that runs one of the canonical examples."""
    return any(example.name == setting.example for example in EXAMPLES)


def has_example_of(name: str) -> Callable[[Setting], bool]:
    """A trial that runs this example."""
    return lambda setting: setting.example == name


def is_without_fault(setting: Setting) -> bool:
    """A trial of an example in which nothing happens to the kernel."""
    return has_example(setting) and setting.fault == NO_FAULT


def is_survived(setting: Setting) -> bool:
    """A trial whose fault leaves the process alive."""
    return has_example(setting) and isinstance(_expects(setting), Lives)


def is_deadly(setting: Setting) -> bool:
    """A trial whose fault ends the process."""
    return has_example(setting) and isinstance(_expects(setting), Dies)


def is_deadly_to(example: str) -> Callable[[Setting], bool]:
    """A trial of this example whose fault ends the process."""
    return lambda setting: setting.example == example and is_deadly(setting)


def is_script_error(setting: Setting) -> bool:
    """A trial in which a script ends with an uncaught error."""
    return has_example(setting) and setting.fault == "index-error-script"


def _expects(setting: Setting) -> Dies | Lives | None:
    return None if setting.fault == NO_FAULT else menu.find(setting.fault).expects
