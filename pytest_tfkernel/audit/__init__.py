"""What is left of a process: probes of one kind of resource each, and what survives a death."""
