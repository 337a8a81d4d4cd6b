"""The gate: an ordinary test that leaves a process, a socket, a file and the like behind fails by its name."""
