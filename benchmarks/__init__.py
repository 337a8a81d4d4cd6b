"""Speed and size, measured against what the project must reach: `python -m benchmarks.run`.

A figure is a ratio within one run wherever it can be, so that it means the same on another machine.
"""
