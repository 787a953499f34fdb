"""Certificate checker, standard library only."""
