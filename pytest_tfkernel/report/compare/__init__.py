"""What differs between the run documents of two runs, ref and changed."""
