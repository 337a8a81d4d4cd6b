"""A cell in a kernel of Jupyter's or Spyder's is asked and answered as in any other kernel."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import CallError, KernelHung, SpecError
from pytest_tfkernel.model.kernels import NotCarried

StartKernel = Callable[..., Kernel]


class TestReply:
    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("20 + 22", 42),
            ("x = 20\nx + 22", 42),
            ("x = 1", None),
            ("5;", None),
            ("", None),
            ("# nothing", None),
            ("'\\udcff \u00e9 \\0'", "\udcff \u00e9 \0"),
            ("(1, b'2', 3j, {4: 5})", [1, b"2", 3j, {4: 5}]),
            ("import asyncio\nawait asyncio.sleep(0, 'awaited')", "awaited"),
            ("%timeit -n1 -r1 -q pass", None),
            ("%env PYTHONUNBUFFERED", "1"),
        ],
    )
    def test_value_is_that_of_the_last_expression(self, shared: Kernel, cell: str, value: object) -> None:
        reply = shared.execute(cell)
        assert (reply.ok, reply.value, reply.error) == (True, value, None)

    def test_nan_is_carried(self, shared: Kernel) -> None:
        assert math.isnan(shared.execute("float('nan')").value)

    def test_a_value_without_a_form_says_so(self, shared: Kernel) -> None:
        value = shared.execute("object()").value
        assert isinstance(value, NotCarried)
        assert "object has no JSON form" in value.reason

    def test_what_is_displayed_beside_is_no_value(self, shared: Kernel) -> None:
        assert shared.execute("from IPython.display import display\ndisplay(1)\n2").value == 2

    def test_output_of_each_cell_is_its_own(self, shared: Kernel) -> None:
        shared.execute("print('first')")
        reply = shared.execute("import sys\nprint('out')\nprint('err', file=sys.stderr)")
        assert (reply.stdout, reply.stderr) == ("out\n", "err\n")

    def test_output_of_children_is_shown_once(self, shared: Kernel) -> None:
        cell = "import subprocess, time\nsubprocess.call(['echo', 'child'])\ntime.sleep(0.1)"
        assert shared.execute(cell).stdout == "child\n"
        assert shared.execute("!echo bang").stdout.strip() == "bang"

    def test_of_50_mb_the_end_is_kept(self, shared: Kernel) -> None:
        reply = shared.execute("print('x' * 50_000_000)")
        assert len(reply.stdout) + reply.stdout_cut == 50_000_001
        assert 1_000_000 < len(reply.stdout) < 2_000_000

    def test_an_error_is_named_without_colours(self, shared: Kernel) -> None:
        error = shared.execute("def f():\n    return [][1]\nf()").error
        assert error is not None
        assert str(error) == "IndexError: list index out of range"
        assert "return [][1]" in error.traceback
        assert "\x1b" not in error.traceback

    @pytest.mark.parametrize(
        "cell", ["x = = 2", "x = 'a\0b'", "x = '\udcff'", "(" * 1000, "%nothing_of_this_name", "input('?')"]
    )
    def test_text_that_makes_no_sense_is_an_error_or_nothing(self, shared: Kernel, cell: str) -> None:
        shared.execute(cell)
        assert shared.execute("1").value == 1

    def test_text_that_is_no_utf_8_is_an_error_as_elsewhere(self, shared: Kernel) -> None:
        error = shared.execute("'\ud800'").error
        assert error is not None
        assert error.type == "UnicodeEncodeError"
        assert shared.execute("'\\ud800'").value == "\ud800"

    def test_a_cell_of_3_mb_runs(self, shared: Kernel) -> None:
        assert shared.execute("x = '" + "z" * 3_000_000 + "'\nlen(x)").value == 3_000_000

    def test_an_exit_in_a_cell_is_an_error_and_ends_nothing(self, shared: Kernel) -> None:
        assert not shared.execute("raise SystemExit(4)").ok
        assert shared.execute("1").value == 1

    def test_a_script_is_refused(self, shared: Kernel) -> None:
        with pytest.raises(SpecError, match="interactive cells only: use provisioner='subprocess'"):
            shared.execute("1", interactive=False)


class TestCall:
    def test_a_function_is_called_there(self, shared: Kernel) -> None:
        offset = 21
        assert shared.call(lambda number: number + offset, 21) == 42

    def test_its_error_is_told(self, shared: Kernel) -> None:
        with pytest.raises(CallError, match="raised ZeroDivisionError"):
            shared.call(lambda: 1 / 0)

    def test_modules_that_a_cell_throws_away_are_not_missed(self, shared: Kernel) -> None:
        cell = "import sys\n[sys.modules.pop(name) for name in list(sys.modules) if 'tfkernel' in name]\nNone"
        assert shared.execute(cell).ok
        assert shared.call(lambda: {1, 2}) == {1, 2}
        assert shared.execute("3").value == 3


class TestNamespace:
    def test_there_is_nothing_of_ours(self, shared: Kernel) -> None:
        shared.call(int)
        assert not [name for name in shared.execute("dir()").value if "tfk" in name]
        assert "tfk" not in shared.execute("%whos").stdout

    def test_the_history_is_that_of_the_cells(self, start_hosted: StartKernel) -> None:
        kernel = start_hosted(startup="begun = 1", sys_path=("/nowhere",))
        kernel.execute("'a'")
        kernel.call(int)
        kernel.execute("'b'")
        assert kernel.execute("In[1:], Out").value == [["begun = 1", "'a'", "'b'", "In[1:], Out"], {2: "a", 3: "b"}]
        assert kernel.execute("import sys; sys.path[0]").value == "/nowhere"

    def test_a_mark_is_gone_from_the_lists_of_names(self, shared: Kernel) -> None:
        marks: list[str] = []
        shared.execute_marked("_tfkernel_mark('here')", marks.append)
        assert marks == ["here"]
        assert "tfk" not in shared.execute("%whos").stdout

    def test_modules_of_ours_are_not_importable(self, shared: Kernel) -> None:
        for name in ("ipython", "frames", "values"):
            assert "ModuleNotFoundError" in str(shared.execute(f"import {name}").error)

    def test_forms_of_values_for_people_are_what_they_were(self, shared: Kernel) -> None:
        cell = "get_ipython().display_formatter.format(1)[0]['text/plain']"
        assert shared.execute(cell).value == "1"


class TestInterrupt:
    def test_from_another_thread_it_ends_the_cell(self, shared: Kernel) -> None:
        # One statement: Spyder drops an interrupt that comes between two of them.
        cell = "import time\n_tfkernel_mark('in') or time.sleep(30)"
        begun = time.monotonic()

        def interrupt(_: str) -> None:
            thread = threading.Thread(target=shared.interrupt)
            thread.start()
            thread.join()

        reply = shared.execute_marked(cell, interrupt)
        assert str(reply.error).startswith("KeyboardInterrupt")
        assert time.monotonic() - begun < 10
        assert shared.execute("1").value == 1

    def test_between_cells_it_means_nothing(self, shared: Kernel) -> None:
        shared.interrupt()
        assert shared.execute("1").value == 1


_BROKEN_STREAMS = {
    "replaced": "import io, sys\nsys.stdout = io.StringIO()",
    "closed": "import sys\nsys.stdout.close()",
    "descriptors closed": "import os\nos.close(1)\nos.close(2)",
}


class TestHarm:
    @pytest.mark.parametrize("cell", _BROKEN_STREAMS.values(), ids=_BROKEN_STREAMS)
    def test_streams_are_the_cells_own_affair(self, start_hosted: StartKernel, cell: str) -> None:
        kernel = start_hosted()
        assert kernel.execute(f"{cell}\n5").value == 5
        assert kernel.execute("6").value == 6

    def test_a_cell_that_breaks_the_kernel_itself_ends_in_time(self, start_hosted: StartKernel) -> None:
        # ipykernel fails to answer, in Jupyter for ever.
        kernel = start_hosted()
        for cell in ("import json\njson.dumps = json.loads = None", "import sys\nsys.stdout = object()"):
            with pytest.raises(KernelHung, match="no reply for 1 s"):
                kernel.execute(cell, timeout=1)
            kernel.restart()
        assert kernel.execute("1").value == 1

    def test_a_forked_child_that_goes_on_has_no_say(self, start_hosted: StartKernel) -> None:
        kernel = start_hosted()
        assert kernel.execute("import os\npid = os.fork()\n7").value == 7
        assert kernel.execute("os.getpid()").value == kernel.pid
        kernel.execute("os.kill(pid, 9)\nos.waitpid(pid, 0)")
