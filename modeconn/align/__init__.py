"""Alignment: the permutation of one net's neurons that brings it nearest to another's."""

from modeconn.align.weight_matching import weight_matching

__all__ = ["weight_matching"]
