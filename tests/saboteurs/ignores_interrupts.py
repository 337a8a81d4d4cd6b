"""Does not hear an interrupt in a cell."""

import signal

signal.default_int_handler = lambda *args: None
