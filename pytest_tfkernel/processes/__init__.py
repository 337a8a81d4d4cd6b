"""Processes of ours: the supervisor that starts and ends them, and what we know of each."""
