"""What can be run, and what is said of what can't."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.run.refusals import WishError
from pytest_tfkernel.run.wishes import RunWishes, check_file, shown, size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("512M", 512 << 20),
        ("2g", 2 << 30),
        ("1.5GiB", 3 << 29),
        ("64 kB".replace(" ", ""), 64 << 10),
        ("1TB", 1 << 40),
    ],
)
def test_a_size(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "0", "M", "-1", "1X", "1e9", "nan", "1 2"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size: write 512M"):
        size(text)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1 << 20, "1 MiB"), (3 << 29, "1.5 GiB"), (1 << 40, "1024.0 GiB")]
)
def test_a_size_for_people(number: int, text: str) -> None:
    assert shown(number) == text


def test_text_of_any_encoding_can_be_run(tmp_path: Path) -> None:
    for name, data in (
        ("a.py", b""),
        ("b.py", "ü".encode()),
        ("c.py", b"# coding: latin-1\nx = '\xfc'"),
        ("d.py", b"\xef\xbb\xbfx"),
    ):
        (tmp_path / name).write_bytes(data)
        check_file(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF\0\0", "isn't text: it holds null bytes"),
        (b"\xfc = 1", "isn't text: "),
        (b"# coding: unicorn\n", "isn't text: "),
    ],
)
def test_what_is_no_text(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(WishError, match=words):
        check_file(tmp_path / "x")


def test_what_is_no_file(tmp_path: Path) -> None:
    for file, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none", "isn't there"),
        (Path("/dev/zero"), "can't be read twice"),
        (tmp_path / "a\0b", "can't be read"),
        (tmp_path / ("x" * 300), "can't be read"),
    ):
        with pytest.raises(WishError, match=words):
            check_file(file)


def test_a_notebook_is_known_by_its_name() -> None:
    assert RunWishes(Path("a.ipynb"), (), "python", "jupyter").is_notebook
    assert not RunWishes(Path("a.py"), (), "python", "subprocess").is_notebook
