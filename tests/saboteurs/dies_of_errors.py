"""Ends with the first error in a cell, though it is interactive."""

import os
import traceback

traceback.format_exception = lambda *args, **kwargs: os._exit(1)
