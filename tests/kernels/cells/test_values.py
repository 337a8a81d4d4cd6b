"""What comes back of a cell's last expression."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec, NotCarried

StartKernel = Callable[..., Kernel]

_SAME = {
    "none": None,
    "bool": True,
    "int": -5,
    "long": 2**200,
    "float": 1.5,
    "text": "ä\n\ud800",
    "bytes": b"\x00\xff",
    "complex": complex(1.5, -2.0),
    "infinities": [math.inf, -math.inf],
    "nested": {"a": [1, {"b": [None, "x"]}]},
    "keys": {1: "int", None: "none", 2.5: "float", b"b": "bytes", (1, (2, 3)): "tuple", True and 7: "seven"},
    "dollar": {"$": "float", "is": "nan"},
    "dollar deep": [{"$": {"$": 1}}],
    "empty": [[], {}, "", b""],
    "surrogate key": {"\udcff": 1},
}


@pytest.mark.parametrize("value", _SAME.values(), ids=_SAME)
def test_a_value_comes_back_as_it_was(kernel: Kernel, value: object) -> None:
    got = kernel.execute(repr(value).replace("inf", "float('inf')")).value
    assert got == value
    assert type(got) is type(value)


_OTHER = {
    "infinite complex": ("complex(1.5, float('-inf'))", complex(1.5, -math.inf)),
    "tuple": ("(1, (2, 'x'))", [1, [2, "x"]]),
    "bytearray": ("bytearray(b'x')", b"x"),
    "memoryview": ("memoryview(b'x')", b"x"),
    "enum": ("import enum\nclass E(enum.IntEnum): A = 3\nE.A", 3),
    "text of a kind": ("class S(str): pass\nS('x')", "x"),
    "array": ("import array\narray.array('d', [1, 2])", [1.0, 2.0]),
    "numpy method": ("class T:\n    def numpy(self): return [1, float('inf')]\nT()", [1, math.inf]),
}


@pytest.mark.parametrize(("cell", "value"), _OTHER.values(), ids=_OTHER)
def test_a_value_comes_back_in_its_plain_form(kernel: Kernel, cell: str, value: object) -> None:
    assert kernel.execute(cell).value == value


def test_nan_is_nan(kernel: Kernel) -> None:
    value = kernel.execute("[float('nan'), {'x': complex(float('nan'), 0)}]").value
    assert math.isnan(value[0])
    assert math.isnan(value[1]["x"].real)


_NOT_CARRIED = {
    "object": ("object()", "a builtins.object has no JSON form; end the cell with"),
    "function": ("lambda: 1", "builtins.function has no JSON form"),
    "set": ("{1, 2}", "builtins.set has no JSON form"),
    "class": ("class T:\n    def numpy(self): return 1\nT", "builtins.type has no JSON form"),
    "long": ("[0] * 2000000", "2000000 elements, more than 1000000; end the cell with a summary"),
    "many bytes": ("bytes(2000000)", "2000000 elements"),
    "many in all": ("[[0] * 900000] * 100", "more than 1000000 elements; end the cell with a summary"),
    "doubled": ("x = [0]\nfor _ in range(40): x = [x, x]\nx", "more than 1000000 elements; end the cell with a summary"),
    "long text": ("'x' * (40 << 20)", "bytes of JSON; end the cell with a summary"),
    "deep": ("x = []\nfor _ in range(60): x = [x]\nx", "nested more than 50 deep"),
    "endless": ("x = []\nx.append(x)\nx", "nested more than 50 deep"),
    "huge int": ("1 << 5000", "more than 4096 bits"),
    "failing numpy": ("class T:\n    def numpy(self): raise OSError('no data')\nT()", r"its numpy\(\) failed: OSError: no data"),
    "failing attribute": (
        "class T:\n    @property\n    def numpy(self): raise OSError('no attribute')\nT()",
        "its numpy.* failed: OSError: no attribute",
    ),
    "key": ("{frozenset(): 1}", "frozenset has no JSON form"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "reason"), _NOT_CARRIED.values(), ids=_NOT_CARRIED)
def test_what_json_cannot_carry_says_why(kernel: Kernel, cell: str, reason: str) -> None:
    reply = kernel.execute(cell, timeout=20)
    assert reply.ok
    assert isinstance(reply.value, NotCarried)
    assert reply.value.reason.startswith("the value can't be carried: ")

    assert re.search(reason, reply.value.reason)
    assert "\n" not in reply.value.reason
    assert kernel.execute("1").value == 1


@pytest.fixture(scope="module")
def tensorflow_kernel(launcher: object, tensorflow_python: str) -> Kernel:
    from pytest_tfkernel.kernels.launcher import Launcher

    assert isinstance(launcher, Launcher)
    return launcher.start(KernelSpec(python=tensorflow_python))


_TENSORS = {
    "numpy float32": ("np.float32(1.5)", 1.5),
    "numpy int": ("np.int64(2)", 2),
    "numpy bool": ("np.bool_(True)", True),
    "numpy nan": ("[str(x) for x in [np.float16('nan')]]", ["nan"]),
    "numpy matrix": ("np.eye(2)", [[1.0, 0.0], [0.0, 1.0]]),
    "numpy infinity": ("np.array([np.inf, -np.inf])", [math.inf, -math.inf]),
    "numpy complex": ("np.array([1j])", [1j]),
    "numpy text": ("np.array(['a'])", ["a"]),
    "numpy bytes": ("np.array([b'a'])", [b"a"]),
    "numpy empty": ("np.zeros((0, 3))", []),
    "tensor": ("tf.constant([1.0, 2.0])", [1.0, 2.0]),
    "scalar tensor": ("tf.constant(3)", 3),
    "text tensor": ("tf.constant('x')", b"x"),
    "variable": ("tf.Variable([1.0])", [1.0]),
    "dict of tensors": ("{'x': tf.constant(1.0), 'y': np.int8(1)}", {"x": 1.0, "y": 1}),
    "bfloat16": ("tf.constant(1.5, tf.bfloat16)", 1.5),
}


@pytest.mark.parametrize(("cell", "value"), _TENSORS.values(), ids=_TENSORS)
def test_tensors_and_arrays_come_back_as_numbers_and_lists(tensorflow_kernel: Kernel, cell: str, value: object) -> None:
    assert tensorflow_kernel.execute(f"import numpy as np, tensorflow as tf\n{cell}").value == value


def test_a_large_tensor_is_not_carried(tensorflow_kernel: Kernel) -> None:
    for cell in ("tf.zeros([2000, 1000])", "np.zeros((2000, 1000))"):
        value = tensorflow_kernel.execute(f"import numpy as np, tensorflow as tf\n{cell}").value
        assert isinstance(value, NotCarried)
        assert "2000000 elements" in value.reason


def test_a_tensor_of_a_graph_is_not_carried(tensorflow_kernel: Kernel) -> None:
    value = tensorflow_kernel.execute(
        "import tensorflow as tf\nwith tf.Graph().as_default(): x = tf.constant(1.0)\nx"
    ).value
    assert isinstance(value, NotCarried)
    assert "end the cell with numbers" in value.reason
