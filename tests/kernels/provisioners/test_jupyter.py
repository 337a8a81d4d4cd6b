"""A real kernel of Jupyter's runs TensorFlow, dies, and is started again by its restarter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import hosted_kernels
from hosted_kernels import JUPYTER
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import Cause
from pytest_tfkernel.model.provisioners import Jupyter

StartKernel = Callable[..., Kernel]

_EXAMPLE = """\
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
my_variable = tf.compat.v1.get_variable("v", initializer=1.0, use_resource=True)
session = tf.compat.v1.Session()
session.run(tf.compat.v1.global_variables_initializer())
session.run(my_variable.assign(my_variable + 1.0))
session.run(my_variable)
"""


@pytest.fixture(scope="module", autouse=True)
def silent_hosts() -> Iterator[list[str]]:
    yield from hosted_kernels.silent_hosts()


# Spyder's consoles are the same kernels with more to them, and show the same in every run.
@pytest.mark.soak
def test_its_variables_are_gone_with_the_process(
    start: StartKernel, launcher: Launcher, tensorflow_python: str
) -> None:
    JUPYTER.python(launcher)
    # TensorFlow warns while it is imported.
    kernel = start(provisioner=Jupyter(restart_poll=0.1), timeout=120.0, environment={"PYTHONWARNINGS": None})
    assert kernel.execute(_EXAMPLE).value == 2.0
    assert kernel.execute("session.run(my_variable)").value == 2.0
    found = kernel.inject("sigkill", phase="running").post_mortem
    assert found is not None
    assert found.cause is Cause.SIGNAL
    kernel.restart(asked=False)
    assert str(kernel.execute("session").error).startswith("NameError")
    assert kernel.execute(_EXAMPLE).value == 2.0
