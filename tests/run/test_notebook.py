"""Notebooks in Jupyter's kernel, from outside: what they show, how they fail and die, and how they go on."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hosted_kernels import JUPYTER
from measured import is_measured
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.run.notebooks import NotebookFile, ShownFile
from pytest_tfkernel.run.refusals import WishError
from warm_hosts import WarmHosts

Run = Callable[..., tuple[int, str, str]]
RunAtTerminal = Callable[[Path, str, bytes], tuple[int, str, bool]]


def write(path: Path, *cells: str, tags: dict[int, list[str]] | None = None, kernelspec: str | None = None) -> Path:
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": (tags or {}).get(number, [])},
            "source": cell,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "of before"}],
            "execution_count": 9,
        }
        for number, cell in enumerate(cells, 1)
    ]
    told = {"kernelspec": {"name": kernelspec, "display_name": "x"}} if kernelspec else {}
    words = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# words"}
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": told, "cells": [words, *made]}), encoding="utf-8"
    )
    return path


@pytest.fixture
def run(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_hosts: WarmHosts) -> Run:
    """A command, its host and its kernel are forks, but where it is asked; how they begin is seen there."""
    JUPYTER.python(launcher)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    def run_one(*words: object, given: str = "") -> tuple[int, str, str]:
        if not is_measured():
            return warm_hosts.run(["run", *map(str, words)], tmp_path, given)
        done = subprocess.run(
            [sys.executable, "-I", "-m", "pytest_tfkernel", "run", *map(str, words)],
            cwd=tmp_path, capture_output=True, text=True, input=given, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run_one


@pytest.fixture
def run_at_terminal(run: Run, tmp_path: Path) -> RunAtTerminal:
    """Run at a terminal, where something is typed when a question is there; whether it echoes at the end, too."""

    def run_one(notebook: Path, question: str, typed: bytes) -> tuple[int, str, bool]:
        ours, theirs = os.openpty()
        # A session without a terminal is given the first that it opens.
        first = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", first, sys.executable, "-I", "-m", "pytest_tfkernel", "run", str(notebook)]
        begun = subprocess.Popen(
            command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        said = b""
        with begun:
            while question.encode() not in said:
                said += os.read(ours, 1 << 16)
            os.write(ours, typed)
            while begun.poll() is None:
                if select.select([ours], [], [], 0.1)[0]:
                    said += os.read(ours, 1 << 16)
        while select.select([ours], [], [], 0)[0]:
            said += os.read(ours, 1 << 16)
        is_echoed = bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
        os.close(ours)
        os.close(theirs)
        return begun.returncode, said.decode(), is_echoed

    return run_one


def shown(path: Path) -> list[tuple[int | None, list[Any]]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(one["execution_count"], one["outputs"]) for one in cells if one["cell_type"] == "code"]


def test_what_cells_show_is_printed_and_kept_in_a_copy(run: Run, tmp_path: Path) -> None:
    asked = write(
        tmp_path / "a.ipynb",
        "import os, sys\nprint('one')\nprint('two')\nprint('aside', file=sys.stderr)",
        " \n",
        "from IPython.display import clear_output, display\nprint('gone')\nclear_output(wait=True)\ndisplay({'a': 1})\nos.getcwd()",
        # As libraries do that draw.
        "for one in get_ipython().display_formatter.formatters.values(): one.pop(int, None)\nprint('x' * (70 << 20))",
        "1 / 0",
        "named = display('first', display_id=True)",
        "named.update('second')",
        "import tempfile\ntempfile.gettempdir()",
        "'after'",
        tags={5: ["raises-exception"]},
    )
    before = asked.read_text(encoding="utf-8")
    code, out, err = run(asked)
    assert code == 0, err
    assert (out.startswith("one\ntwo\n"), out.endswith("'after'\n"), len(out) > 70 << 20) == (True, True, True)
    assert ("aside" in err, "ZeroDivisionError" in err) == (True, True)
    assert asked.read_text(encoding="utf-8") == before
    first, empty, third, large, failed, named, update, folder, last = shown(tmp_path / "a.run.ipynb")
    assert (first[0], {one["name"]: "".join(one["text"]) for one in first[1]}) == (
        1,
        {"stdout": "one\ntwo\n", "stderr": "aside\n"},
    )
    assert empty == (None, [])
    assert [one["data"] for one in third[1]] == [{"text/plain": "{'a': 1}"}, {"text/plain": repr(str(tmp_path))}] or [
        {name: "".join(form) for name, form in one["data"].items()} for one in third[1]
    ] == [{"text/plain": "{'a': 1}"}, {"text/plain": repr(str(tmp_path))}]
    assert len("".join(large[1][0]["text"])) == (70 << 20) + 1
    assert failed[1][0]["ename"] == "ZeroDivisionError"
    # As tqdm and progress bars of Keras do it.
    assert ["".join(one["data"]["text/plain"]) for one in named[1]] == ["'second'"]
    assert update[1] == []
    # What is kept there is to be there afterwards.
    assert "".join(folder[1][0]["data"]["text/plain"]) == repr(tempfile.gettempdir())
    assert last[0] == 8


def test_after_a_death_it_goes_on_where_it_is_told_and_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    notebook = write(
        tmp_path / "b.ipynb",
        "import sys\nx = 1\nprint(sys.argv, [one for one in dir() if 'tfk' in one])",
        "def twice(): return 2 * x",
        "import ctypes; ctypes.string_at(0)",
        "twice()",
        "%time y = x",
        "nowhere",
        "import sys; sys.argv[1:]",
    )
    arguments = ["--", "a b", "--output=é", "\udcff"]
    code, out, err = run("--restart=4", "--output=c.ipynb", "--report=b.json", notebook, *arguments)
    assert code == 128 + signal.SIGSEGV, err
    assert out.startswith(f"{[str(notebook), *arguments]} []\n")
    assert out.endswith(f"{arguments}\n")
    for words in (
        "--output=é stands after ",
        "b.ipynb, so it is the notebook's own; ours stand before it\n",
        "cell 3 has died; a new kernel goes on at cell 4\n",
        "b.ipynb: kernel ",
        "--- last cell, which is cell 3\nimport ctypes; ctypes.string_at(0)\n",
        "cell 4 needs 'twice', which cell 2 makes: run that one again\n",
        "cell 5 needs 'x', which cell 1 makes: run that one again\n",
        "cell 6 needs 'nowhere'\n",
        "what the cells show is in c.ipynb\n",
    ):
        assert words in err
    assert [count for count, _ in shown(tmp_path / "c.ipynb")] == [1, 2, 3, 1, 2, 3, 4]
    told = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert (told["cell"], told["died"], told["post_mortem"]["last_cell"]) == (
        3,
        True,
        "import ctypes; ctypes.string_at(0)",
    )
    assert not list(tmp_path.glob("*.ipynb.*"))


def test_questions_are_answered_from_standard_input_until_its_end(run: Run, tmp_path: Path) -> None:
    # The last one is cut short by an error, which ends the notebook.
    notebook = write(
        tmp_path / "d.ipynb",
        "print('first')\nname = input('name? ')\nprint(f'<{name}>')",
        "import getpass\nprint(len(getpass.getpass('secret? ')))",
        "import pdb\ndef f(x):\n    pdb.set_trace()\n    return x\nf(20)",
        "import sys\nprint([sys.stdin.readline()])",
        "input('more? ')",
        "print('never')",
    )
    code, out, err = run(notebook, given="Ann\r\nhidden\np x + 1\nc\n")
    assert (code, "secret? " in err) == (1, True)
    assert out.startswith("first\nname? <Ann>\n6\n")
    assert "21\n" in out
    assert "['']\nmore? " in out
    assert "cell 5 ended with EOFError, so the cells after it were not run\n" in err
    cells = shown(tmp_path / "d.run.ipynb")
    assert [count for count, _ in cells] == [1, 2, 3, 4, 5, None]
    assert ["".join(one["text"]) for one in cells[0][1]] == ["first\nname? Ann\n<Ann>\n"]
    assert ["".join(one["text"]) for one in cells[1][1]] == ["secret? ········\n6\n"]
    assert "hidden" not in (tmp_path / "d.run.ipynb").read_text(encoding="utf-8")


def test_ctrl_c_interrupts_the_cell(run: Run, tmp_path: Path) -> None:
    # Our parent is the host, whose parent is the supervisor, whose parent is the command.
    source = (
        "import os, signal, time\npid = os.getppid()\n"
        "for _ in range(2): pid = int(open(f'/proc/{pid}/stat').read().rpartition(') ')[2].split()[1])\n"
    )
    code, _, err = run(
        write(tmp_path / "e.ipynb", f"{source}os.kill(pid, signal.SIGINT)\ntime.sleep(62)", "print('never')")
    )
    assert code == 1
    assert "cell 1 ended with KeyboardInterrupt" in err


def test_ctrl_c_interrupts_a_question(run_at_terminal: RunAtTerminal, tmp_path: Path) -> None:
    notebook = write(tmp_path / "q.ipynb", "import getpass\ngetpass.getpass('secret? ')", "print('never')")
    code, said, is_echoed = run_at_terminal(notebook, "secret? ", b"\x03")
    assert (code, is_echoed) == (1, True)
    assert "cell 1 ended with KeyboardInterrupt" in said


def test_a_kernel_that_ends_itself_has_not_run_the_rest(run: Run, tmp_path: Path) -> None:
    # Also after the process has become another program.
    ends = "import os; os.execvp(sys.executable, [sys.executable, '-c', 'pass'])"
    code, out, err = run("--restart=2", write(tmp_path / "g.ipynb", "import sys", ends, "print('after')"))
    assert (code, out) == (1, "after\n")
    assert "g.ipynb: kernel " in err
    assert "of exit code 0 (cause: exit; killed by: the kernel itself)" in err
    assert "--- last cell, which is cell 2\n" in err
    assert "It ended itself" in err
    assert "cell 2 needs 'sys', which cell 1 makes: run that one again" in err


@pytest.mark.parametrize(
    ("matter", "said"),
    [
        ({"metadata": {"kernelspec": None, "language_info": "python"}}, None),
        ({"metadata": {"kernelspec": "python3"}}, None),
        ({"cells": [{"cell_type": "code", "source": "1", "metadata": {"tags": None}, "outputs": []}]}, None),
        ({"cells": [{"cell_type": "code", "source": ["1\n", "2"], "metadata": {}, "outputs": []}]}, None),
        (
            {"metadata": {"language_info": {"name": "R"}}},
            "a.ipynb is a notebook of R, and only those of Python are run",
        ),
        ({"metadata": {"kernelspec": {"name": "j", "language": "julia"}}}, "a.ipynb is a notebook of julia"),
        ({"metadata": []}, "a.ipynb is no notebook: "),
        ({"cells": [{}]}, "a.ipynb is no notebook: "),
        ({"cells": [5]}, "a.ipynb is no notebook: "),
        ({"cells": [{"cell_type": "code", "metadata": {}, "outputs": []}]}, "a.ipynb is no notebook: "),
        ({"cells": {}}, "a.ipynb has no cell with code"),
    ],
)
def test_a_notebook_that_was_edited_by_hand_is_read_or_refused(
    matter: dict[str, Any], said: str | None, tmp_path: Path
) -> None:
    pytest.importorskip("nbformat")
    path = write(tmp_path / "a.ipynb", "1")
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **matter}), encoding="utf-8")
    if said is None:
        notebook = NotebookFile(path)
        assert (notebook.kernelspec, notebook.may_raise(1), notebook.source(1)[0]) == (None, False, "1")
        return
    with pytest.raises(WishError) as refused:
        NotebookFile(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_part_of_a_message_that_a_full_disk_has_left_is_passed_over(tmp_path: Path) -> None:
    whole = {"kind": "stream", "content": {"name": "stdout", "text": "x"}}
    text = json.dumps(whole)
    (tmp_path / "shown").write_text(f"{text[:9]}{text}\n[1]\n{text}\n{text[:9]}", encoding="utf-8")
    shown_file = ShownFile(tmp_path / "shown")
    assert shown_file.follow() == [whole]
    assert shown_file.messages == [whole]


def test_one_that_takes_too_long_or_is_struck_has_its_post_mortem(run: Run, tmp_path: Path) -> None:
    notebook = write(tmp_path / "f.ipynb", "import time; time.sleep(62)")
    code, _, err = run("--timeout=1", "--restart=1", notebook)
    assert code == 128 + signal.SIGKILL
    assert "it ran longer than 1 s, so it was ended" in err
    assert "in <module>" in err
    assert "goes on" not in err
    code, _, err = run("--fault=sigterm@0.2", notebook)
    assert code in (128 + signal.SIGTERM, 128 + signal.SIGKILL)
    assert "--- fault\nsigterm struck after 0.2 s\n" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["spec.ipynb"], "spec.ipynb: kernelspec='unicorn' is not installed; `jupyter kernelspec list` has: "),
        (["empty.ipynb"], "empty.ipynb has no cell with code"),
        (["bad.ipynb"], "bad.ipynb is no notebook: "),
        (["list.ipynb"], "list.ipynb is no notebook: "),
        (["--provisioner=subprocess", "one.ipynb"], "a notebook runs in Jupyter's kernel"),
        (["--restart=2", "one.ipynb"], "--restart=2: there are cells 1 to 1"),
        (["--restart=1", "a.py"], "--restart and --output are for notebooks, and a.py is none"),
        (["--fault=sigkill@running", "one.ipynb"], "in a notebook a fault strikes by time: --fault=sigkill@5"),
        (["--fault=os-exit-3", "one.ipynb"], "--fault=os-exit-3: in a notebook only a signal can strike: sigkill, "),
        (["--provisioner=spyder", "--fault=hang", "a.py"], "--fault=hang: in a spyder kernel only a signal can strike"),
        (["--fault=sigstop", "one.ipynb"], "--fault=sigstop would never end: say after how many seconds it has to"),
        (["--fault=", "a.py"], "fault '' is unknown: choose from sigkill, "),
        (["--output=link.ipynb", "one.ipynb"], "link.ipynb is the notebook itself, which stays as it is: name another"),
        (["--output=pipe", "one.ipynb"], "the copy can't be written to pipe, which is no ordinary file"),
        (["--report=pipe.json", "a.py"], "--report=pipe.json can't be written: it is no ordinary file"),
        (["--python=", "a.py"], "python='' is not an executable file"),
        (["--provisioner=", "a.py"], "provisioner='' is unknown"),
        (["LIST.IPYNB"], "LIST.IPYNB is no notebook: "),
        (["--output=none/a.ipynb", "one.ipynb"], "the copy can't be written to none/a.ipynb"),
    ],
)
def test_what_cannot_be_run_is_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_tfkernel import commands

    write(tmp_path / "spec.ipynb", "1", kernelspec="unicorn")
    write(tmp_path / "one.ipynb", "1")
    write(tmp_path / "empty.ipynb")
    (tmp_path / "bad.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "list.ipynb").write_text("[1]", encoding="utf-8")
    (tmp_path / "LIST.IPYNB").write_text("[1]", encoding="utf-8")
    (tmp_path / "a.py").touch()
    (tmp_path / "link.ipynb").symlink_to("one.ipynb")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe.json").symlink_to("pipe")
    monkeypatch.chdir(tmp_path)
    assert commands.run(["run", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert err.startswith(f"run: {said}")


def test_without_nbformat_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_tfkernel import commands

    monkeypatch.setitem(sys.modules, "nbformat", None)
    assert commands.run(["run", os.fspath(write(tmp_path / "a.ipynb", "1"))]) == 2
    assert capsys.readouterr().err.endswith("-m pip install 'pytest-tfkernel[notebook]'\n")
