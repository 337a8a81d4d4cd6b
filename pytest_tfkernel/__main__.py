"""`python -I -m pytest_tfkernel COMMAND`, and the script `pytest-tfkernel`.

Both begin here, and nothing is imported before it is settled where modules come from: a `struct.py` in the working
folder, or in one of PYTHONPATH, is somebody else's, and an exit code of ours would speak for it.
"""

import os
import sys

# As that of `typing`, which type checkers know by its name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

# As a shell has it: 128 and the number of SIGINT.
_INTERRUPTED = 130
# Neither a good answer nor a bad one.
_UNTOLD = 2


def script() -> int:
    """Run the command of this process; the exit code."""
    sys.path[:] = _safe(sys.path)
    return main()


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run a command; the exit code. What goes wrong is a line on stderr, and never the code of a bad answer."""
    try:
        from pytest_tfkernel import commands

        return commands.run(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a traceback ends with 1, which is "not met" and "worse"
        _complain(f"pytest-tfkernel: can't tell: {type(error).__name__}: {error}")
        return _UNTOLD


def _safe(path: "list[str]") -> "list[str]":
    """Where to look for modules: PYTHONPATH last, and neither the working folder nor that of the script.

    Nothing installed is replaced then, and what is found by PYTHONPATH alone still is.
    """
    if sys.flags.isolated:
        return path
    here = _working_folder()
    library = os.path.dirname(os.path.abspath(os.__file__))
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # `python -P` adds none; the flag is of Python 3.11.
    first = [] if getattr(sys.flags, "safe_path", False) else path[:1]
    named = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(os.pathsep)
    named = [os.path.normpath(os.path.join(here, folder)) for folder in named]
    doubtful = {here, *first, *named}
    trusted = [folder for folder in path if folder not in doubtful or _is_below(folder, library)]
    last = [folder for folder in named if os.path.isabs(folder) and folder != here]
    # A checkout, in which somebody tries this without having it installed.
    return [*trusted, *last, *([home] if home in doubtful else [])]


def _working_folder() -> str:
    """It may have been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _is_below(folder: str, other: str) -> bool:
    return os.path.join(os.path.abspath(folder), "").startswith(os.path.join(other, ""))


def _complain(text: str) -> None:
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    try:
        os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return  # nobody reads it; the exit code says the rest


if __name__ == "__main__":
    sys.exit(script())
