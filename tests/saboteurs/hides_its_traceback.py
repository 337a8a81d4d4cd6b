"""Ends with code 1 after an uncaught error, and doesn't say which."""

import sys

sys.excepthook = lambda *args: None
