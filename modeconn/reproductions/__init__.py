"""Figures of papers and theorems, each made again by one command: ``modeconn reproduce NAME``."""

from modeconn.reproductions.frame import PROFILES, Compute, Draw, Profile, Reproduction, Tables
from modeconn.reproductions.registry import MODULES, REPRODUCTIONS
from modeconn.reproductions.write import write_reproduction

__all__ = [
    "MODULES",
    "PROFILES",
    "REPRODUCTIONS",
    "Compute",
    "Draw",
    "Profile",
    "Reproduction",
    "Tables",
    "write_reproduction",
]
