"""Exact arithmetic, standard library only."""
