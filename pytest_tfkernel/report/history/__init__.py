"""Many runs over time: what each outcome was in run after run, and how time and memory moved."""
