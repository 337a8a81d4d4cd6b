"""Stands before matplotlib on a search path: it isn't installed there."""

msg = "No module named 'matplotlib'"
raise ModuleNotFoundError(msg, name="matplotlib")
