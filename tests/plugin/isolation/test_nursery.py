"""From which process those of tests are forked, and why not from another one."""

from __future__ import annotations

import pytest

from inner import Inner, counts

PASSES = "def test_passes(): pass\n"
THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True, name='theirs').start()\n"


def told(inner: Inner, *arguments: str) -> list[str]:
    """The summary's lines of a run in which every test passes."""
    run = inner.run("--tfkernel-isolate", "-v", *arguments)
    assert set(counts(run)) == {"passed"}
    lines = run.stdout.lines
    begin = next(number for number, line in enumerate(lines) if "tfkernel isolation ==" in line)
    return [line.strip() for line in lines[begin + 1 : -1] if line]


def test_from_the_one_that_has_collected_where_that_is_safe(inner: Inner) -> None:
    inner.write("test_one.py", PASSES)
    inner.write("test_two.py", PASSES)
    assert told(inner)[1:] == ["test_one.py: forked", "test_two.py: forked"]


def test_from_one_that_is_configured_where_a_test_file_starts_threads(inner: Inner) -> None:
    inner.write("conftest.py", "import os\nconfigured_in = os.getpid()\n")
    inner.write(
        "test_one.py", THREAD + "import os, conftest\ndef test(): assert conftest.configured_in != os.getpid()\n"
    )
    inner.write("test_two.py", PASSES)
    reason = "cold: what was imported started 1 Python thread(s) that a fork would lose: theirs"
    assert told(inner)[1:] == [f"test_one.py: {reason}", "test_two.py: forked"]


def test_from_a_blank_one_where_a_conftest_starts_threads(inner: Inner) -> None:
    inner.write("conftest.py", THREAD + "import os\nconfigured_in = os.getpid()\n")
    inner.write("test_one.py", "import os, conftest\ndef test(): assert conftest.configured_in == os.getpid()\n")
    assert "cold: what was imported started 1 Python thread(s)" in told(inner)[1]


def test_from_a_blank_one_where_tensorflow_starts_threads(inner: Inner) -> None:
    inner.write("pytest.ini", "[pytest]\npythonpath = .\n")
    inner.write("tensorflow.py", THREAD)
    inner.write("test_one.py", "import tensorflow\ndef test(): assert tensorflow.__file__.endswith('tensorflow.py')\n")
    assert "cold: what was imported started 1 Python thread(s)" in told(inner)[1]


def test_from_a_blank_one_where_that_is_wished_for(inner: Inner) -> None:
    inner.write("conftest.py", "import os\nconfigured_in = os.getpid()\nkeras = os.environ.get('KERAS_BACKEND')\n")
    inner.write(
        "test_one.py",
        "import conftest, os, pytest\n"
        "@pytest.mark.tfkernel_isolated(cold=True)\n"
        "def test_cold(): assert conftest.configured_in == os.getpid()\n"
        "@pytest.mark.tfkernel_isolated(env={'KERAS_BACKEND': 'none'})\n"
        "def test_is_read_early(): assert conftest.keras == 'none'\n"
        "@pytest.mark.tfkernel_isolated(env={'OTHER': 'text'})\n"
        "def test_is_read_late(): assert (conftest.keras, os.environ['OTHER']) == (None, 'text')\n",
    )
    assert told(inner)[1:] == [
        "test_one.py: cold: cold=True",
        "test_one.py: cold: KERAS_BACKEND may be read while TensorFlow is imported",
        "test_one.py: forked",
    ]


@pytest.mark.parametrize("names", [(), ("test_one.py", "test_two.py", "test_zero.py::test_passes")])
def test_a_file_that_ends_the_process_is_an_error_and_the_others_run(inner: Inner, names: tuple[str, ...]) -> None:
    inner.write("test_one.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n" + PASSES)
    inner.write("test_two.py", PASSES)
    inner.write("test_zero.py", "import os\nos._exit(0)\n" + PASSES)
    run = inner.run("--tfkernel-isolate", "--continue-on-collection-errors", *names)
    assert counts(run) == {"passed": 1, "errors": 2}
    died = "the process that collects tests died of"
    for name, death in (("one", "SIGKILL"), ("zero", "exit code 0")):
        run.stdout.fnmatch_lines([f"*ERROR collecting test_{name}.py*", f"{died} {death}"])


FAKE = "import os\nseen = os.environ.get('TF_SEEN')\n"


def test_tensorflow_sees_the_environment_in_which_tests_import_it(inner: Inner) -> None:
    inner.write("tensorflow.py", FAKE)
    inner.write("conftest.py", "import os\nos.environ['TF_SEEN'] = 'conftest'\n")
    inner.write("test_one.py", "import tensorflow\ndef test(): assert tensorflow.seen == 'conftest'\n")
    inner.write("pytest.ini", "[pytest]\npythonpath = .\n")
    assert told(inner)[1] == "test_one.py: forked"
    # What a test file sets, an import before it would not have seen.
    inner.write(
        "test_one.py",
        "import os\nos.environ['TF_SEEN'] = 'file'\nimport tensorflow\ndef test(): assert tensorflow.seen == 'file'\n",
    )
    assert told(inner)[1] == "test_one.py: forked"


def test_what_pytest_refuses_is_refused_in_its_words(inner: Inner) -> None:
    run = inner.run("--tfkernel-isolate", "nowhere.py")
    assert run.ret == 4
    assert "ERROR: file or directory not found: nowhere.py" in run.stderr.str()
    inner.write("test_one.py", PASSES)
    run = inner.run("--tfkernel-isolate", "test_one.py::test_none")
    assert run.ret == 4
    assert "ERROR: not found: " in run.stderr.str()


ENDS = [
    ("import os\nif os.environ.get('SEEN'): os._exit(3)\nos.environ['SEEN'] = '1'", 4, "died of exit code 3"),
    ("def pytest_configure(config): raise pytest.UsageError('no workers')", 4, "ERROR: no workers"),
    ("def pytest_collection_modifyitems(config, items): os._exit(4)", 4, "died of exit code 4"),
    ("def pytest_collection_modifyitems(config, items): pytest.exit('no GPU', 9)", 9, "no GPU"),
    ("def pytest_collection_modifyitems(session, items): raise KeyboardInterrupt", 2, "KeyboardInterrupt"),
    ("def pytest_collection_modifyitems(session, items): raise session.Interrupted('too many')", 2, "too many"),
]


@pytest.mark.parametrize(("text", "code", "words"), ENDS, ids=[text.partition("pytest_")[2] for text, *_ in ENDS])
def test_whatever_ends_a_session_elsewhere_is_told_in_clear_words(
    inner: Inner, text: str, code: int, words: str
) -> None:
    head, _, body = text.rpartition(": ")
    only_there = "" if text.startswith("import") else "import os, pytest\n"
    if only_there:
        where = "config" if "config" in head else "session.config"
        text = f"{head}:\n    if hasattr({where}, 'workerinput'): {body}"
    inner.write("conftest.py", only_there + text + "\n")
    inner.write("test_one.py", "import pytest\n@pytest.mark.tfkernel_isolated\ndef test_marked(): pass\n" + PASSES)
    run = inner.run("--tfkernel-isolate")
    assert run.ret == code
    assert words in run.stdout.str() + run.stderr.str()
    if code != pytest.ExitCode.USAGE_ERROR:
        return
    # Where others run here, they do, and it is an error of those that can't.
    run = inner.run()
    assert counts(run) == {"passed": 1, "errors": 1}
    assert words in run.stdout.str()
