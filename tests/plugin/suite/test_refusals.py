"""What was asked for by name and isn't installed is refused in one line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.plugin import interpreters
from pytest_tfkernel.plugin.suite.refusals import check_hosts

BARE = Interpreter("/opt/python", (3, 11, 7), None)


def check(provisioners: tuple[str, ...] = (), selected: tuple[str, ...] = ()) -> None:
    options = SimpleNamespace(provisioners=provisioners, selected=selected, kernelspec=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreters, "options_of", lambda _: options)
        check_hosts(SimpleNamespace(), options, {"": BARE})  # type: ignore[arg-type]


def id_of(setting: str) -> str:
    return f"tfkernel::variable-is-reset[{setting}]"


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("jupyter", "ipykernel"),
        ("spyder", "spyder-kernels"),
        ("multiprocess-spawn", "multiprocess"),
        ("multiprocess-fork", "multiprocess"),
        ("multiprocess-forkserver", "multiprocess"),
    ],
)
def test_what_is_missing_is_refused_by_option_and_by_id(name: str, package: str) -> None:
    words = f"^tfkernel: {name.partition('-')[0]} is not installed: {package}: `/opt/python -m pip install {package}`$"
    setting = f"{name}-variable_assign-sigkill-idle"
    for asked in (
        {"provisioners": (name,)},
        {"selected": (id_of(setting),)},
        {"selected": (id_of(f"tf2.20.0-py3.11/{setting}"),)},
    ):
        with pytest.raises(pytest.UsageError, match=words):
            check(**asked)


def test_what_needs_nothing_is_not() -> None:
    check(("subprocess", "forkserver"), (id_of("forkserver-variable_assign-sigkill-idle"), id_of("subprocess-x-y-z")))
    check()
