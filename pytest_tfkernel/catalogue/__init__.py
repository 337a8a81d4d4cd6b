"""What there is: guarantees, faults, phases and all else that has a name, for people who look for one."""
