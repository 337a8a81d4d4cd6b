"""People's own tests, each file or each test in a process of its own."""
