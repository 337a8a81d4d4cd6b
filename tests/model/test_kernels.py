"""What a kernel is asked for, and what runs it."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer, Jupyter


def test_a_provisioner_may_be_its_name() -> None:
    assert KernelSpec(provisioner="jupyter").made_by == Jupyter()
    assert KernelSpec(provisioner=ForkServer(preload=("json",))).made_by == ForkServer(preload=("json",))
    with pytest.raises(SpecError, match="nobody"):
        _ = KernelSpec(provisioner="nobody").made_by


def test_a_field_that_has_moved_says_where_to() -> None:
    with pytest.raises(SpecError, match=r"ForkServer\(preload="):
        KernelSpec(preload=("json",))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("one", "label", "words"),
    [
        (Interpreter("/py", (3, 11, 7), None), "py3.11", "Python 3.11.7, no TensorFlow (/py)"),
        (
            Interpreter("/py", (3, 7, 1), "1.15.5", {"numpy": "1.18", "ipykernel": "6"}, "10.0"),
            "tf1.15.5-py3.7",
            "Python 3.7.1, TensorFlow 1.15.5, built for CUDA 10.0, NumPy 1.18 (/py)",
        ),
    ],
)
def test_an_interpreter_has_a_label_and_words(one: Interpreter, label: str, words: str) -> None:
    assert (one.label, str(one)) == (label, words)
