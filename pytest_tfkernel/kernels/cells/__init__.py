"""What a kernel is asked, and what it answers."""
