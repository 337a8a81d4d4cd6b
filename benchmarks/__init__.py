"""Speed and size, measured against the targets of issue 2: `python -m benchmarks.run`.

A figure is a ratio within one run wherever it can be, so that it means the same on another machine.
"""
