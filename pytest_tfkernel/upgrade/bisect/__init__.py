"""In which release something changes: candidates, a search, and what tells them apart."""
