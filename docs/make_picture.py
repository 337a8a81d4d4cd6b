"""`python docs/make_picture.py` runs the suite and draws the end of its output as docs/matrix.svg."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "matrix.svg"
_COMMAND = [sys.executable, "-m", "pytest", "--tfkernel", "-n", "2", "--color=yes", "-p", "no:cacheprovider"]


def main() -> None:
    """Draw what a real run printed, from the matrix on."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(_COMMAND, cwd=folder, capture_output=True, text=True, check=False)
    output = run.stdout
    matrix = output[output.rindex("= tfkernel =") :].split("\n", 1)[1]
    console = Console(record=True, width=max(map(len, Text.from_ansi(matrix).plain.splitlines())), file=sys.stderr)
    console.print(Text.from_ansi(matrix.rstrip()))
    drawn = console.export_svg(title="pytest --tfkernel -n 2")
    # A picture that looks the same without a network.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
