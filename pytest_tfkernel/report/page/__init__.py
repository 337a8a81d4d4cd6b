"""A run document as one HTML file for people: no network, no server, readable without scripts."""
