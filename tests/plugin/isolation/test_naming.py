"""Which tests name TensorFlow."""

from __future__ import annotations

import pytest

from pytest_tfkernel.plugin.isolation.naming import modules_to_preload

pytest_plugins = ["pytester"]


def preloaded(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    return modules_to_preload(pytester.parseconfig(*arguments))


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("test_it.py", "import tensorflow as tf", True),
        ("test_it.py", "def test():\n    from tensorflow.python import ops", True),
        ("conftest.py", "import tensorflow", True),
        ("deep/er/test_it.py", "import tensorflow", True),
        ("test_it.py", "import tensorflow_probability", False),
        ("test_it.py", "# import tensorflow, or not", False),
        ("helper.py", "import tensorflow", False),
        (".hidden/test_it.py", "import tensorflow", False),
        ("build/test_it.py", "import tensorflow", False),
    ],
)
def test_a_file_that_is_collected_and_imports_it(
    pytester: pytest.Pytester, name: str, text: str, is_named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pytester.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    # A conftest.py is imported with the configuration.
    fake = pytester.path / "elsewhere/tensorflow.py"
    fake.parent.mkdir()
    fake.touch()
    monkeypatch.syspath_prepend(fake.parent)
    assert preloaded(pytester, str(pytester.path)) == (["tensorflow"] if is_named else [])


def test_a_test_that_is_named_is_in_a_file(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(test_one="import tensorflow", test_two="")
    assert preloaded(pytester, f"{pytester.path / 'test_one.py'}::test_a") == ["tensorflow"]
    assert preloaded(pytester, str(path.parent / "test_two.py")) == []
    assert preloaded(pytester, "nowhere.py") == []


def test_where_there_is_none_nothing_is_imported(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(test_one="import tensorflow")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert preloaded(pytester) == []


def test_without_what_collects_there_is_none(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_one="import tensorflow")
    assert preloaded(pytester, "-p", "no:python", str(pytester.path)) == []
