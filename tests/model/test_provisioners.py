"""Provisioners as data: each says everything of itself, and an old spelling is answered by the new one."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from pytest_tfkernel.model import provisioners
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import (
    ForkServer,
    Jupyter,
    Managed,
    Multiprocess,
    Provisioner,
    Spyder,
    Subprocess,
)

ALL = provisioners.PROVISIONERS


def test_the_names_are_those_of_ids() -> None:
    multiprocess = ("multiprocess-spawn", "multiprocess-forkserver", "multiprocess-fork")
    assert ("subprocess", "forkserver", "jupyter", "spyder", *multiprocess) == provisioners.NAMES


@pytest.mark.parametrize("one", ALL, ids=provisioners.NAMES)
def test_a_name_stands_for_the_one_without_parameters(one: Provisioner) -> None:
    assert KernelSpec(provisioner=one.name).made_by == KernelSpec(provisioner=one).made_by == one


@pytest.mark.parametrize("one", ALL, ids=provisioners.NAMES)
def test_what_is_managed_is_restarted_unasked_and_runs_no_scripts(one: Provisioner) -> None:
    is_managed = isinstance(one, Managed)
    assert (one.restarts_unasked, one.runs_scripts) == (is_managed, not is_managed)
    # The manager of jupyter_client kills after 5 s by itself.
    assert one.shutdown_seconds == (8.0 if is_managed else 5.0)


def test_the_facts_of_each() -> None:
    assert [one.name for one in ALL if one.is_cold] == ["subprocess"]
    assert [one.name for one in ALL if isinstance(one, Managed)] == ["jupyter", "spyder"]
    needs = {one.need.capability: one.need.module for one in ALL if one.need is not None}
    assert needs == {"jupyter": "ipykernel", "spyder": "spyder_kernels", "multiprocess": "multiprocess"}


@pytest.mark.parametrize(
    ("name", "capability"),
    [("jupyter", "jupyter"), ("multiprocess-fork", "multiprocess"), ("forkserver", ""), ("of-another-version", "")],
)
def test_what_a_machine_must_have_for_a_name(name: str, capability: str) -> None:
    assert provisioners.capability_of(name) == capability


@pytest.mark.parametrize(
    ("name", "like", "found"),
    [
        ("jupyter", Jupyter("mine", 0.1), Jupyter("mine", 0.1)),
        ("spyder", Jupyter("mine", 0.1), Spyder(0.1)),
        ("jupyter", Spyder(0.1), Jupyter(restart_poll=0.1)),
        ("subprocess", Jupyter("mine", 0.1), Subprocess()),
        ("forkserver", ForkServer(()), ForkServer(())),
        ("forkserver", Spyder(0.1), ForkServer()),
        ("multiprocess-spawn", Multiprocess("fork"), Multiprocess("spawn")),
    ],
)
def test_another_one_has_the_parameters_that_it_takes_too(name: str, like: Provisioner, found: Provisioner) -> None:
    assert provisioners.named(name, like) == found


_OLD: dict[str, tuple[dict[str, Any], str]] = {
    "preload": ({"preload": ("json",)}, "write provisioner=ForkServer(preload=('json',))"),
    "preload of none": ({"preload": None, "provisioner": "subprocess"}, "leave it out"),
    "kernelspec": ({"kernelspec": "mine", "provisioner": "jupyter"}, "write provisioner=Jupyter(kernelspec='mine')"),
    "poll": ({"restart_poll": 0.2}, "write provisioner=Jupyter(restart_poll=0.2)"),
    "poll of Spyder": ({"restart_poll": 0.2, "provisioner": "spyder"}, "write provisioner=Spyder(restart_poll=0.2)"),
    "poll of a Spyder": ({"restart_poll": 1, "provisioner": Spyder()}, "write provisioner=Spyder(restart_poll=1)"),
    "poll beside an unhashable": ({"restart_poll": 1, "provisioner": []}, "write provisioner=Jupyter(restart_poll=1)"),
}


@pytest.mark.parametrize(("fields", "words"), _OLD.values(), ids=_OLD)
def test_the_old_spelling_is_one_line_that_has_the_new_one(fields: dict[str, Any], words: str) -> None:
    for spell in (KernelSpec, lambda **old: dataclasses.replace(KernelSpec(), **old)):
        with pytest.raises(SpecError) as caught:
            spell(**fields)
        assert str(caught.value).endswith(f" is not a field of a spec but a parameter of its provisioner: {words}")
        assert "\n" not in str(caught.value)


def test_an_unknown_field_is_refused_as_ever() -> None:
    with pytest.raises(TypeError, match="colour"):
        KernelSpec(colour="red")  # type: ignore[call-arg]


def test_a_spec_is_copied_and_pickled() -> None:
    spec = KernelSpec(provisioner=Jupyter("mine"), timeout=5)
    assert copy.deepcopy(spec) == copy.copy(spec) == pickle.loads(pickle.dumps(spec)) == spec
