"""Instances about linear nets: minima in exact rationals, as JSON, and back."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import LinearNet, exact_matrix, exact_net, sample_linear_minimum
from proofs_check.claims.claim import Instance
from proofs_check.exact.linear_net import product

__all__ = ["as_json", "compute_q", "goal_of", "minima_of", "rows_of", "sampled", "small_integers", "target_matrices"]


def as_json(matrix: np.ndarray) -> list[list[int | str]]:
    """Return the rows of an exact matrix as integers, or as "p/q"."""
    return [[int(x) if Fraction(x).denominator == 1 else str(x) for x in row] for row in matrix.tolist()]


def rows_of(matrix: np.ndarray) -> list[list[Fraction]]:
    """Return the rows of an exact matrix as fractions, for the deciding core."""
    return [[Fraction(x) for x in row] for row in matrix.tolist()]


def goal_of(instance: Instance) -> np.ndarray:
    """Return Q (c, d)."""
    return exact_matrix(instance["Q"])


def minima_of(instance: Instance) -> list[LinearNet]:
    """Return the nets of an instance."""
    return [exact_net(layers) for layers in instance["minima"]]


def compute_q(instance: Instance) -> bool:
    """Return whether every net of an instance computes Q, decided by the exact core."""
    goal = rows_of(goal_of(instance))
    return all(product([rows_of(layer) for layer in net]) == goal for net in minima_of(instance))


def small_integers(rows: int, columns: int) -> SearchStrategy[list[list[int]]]:
    """Return matrices with entries in -3 .. 3."""
    row = st.lists(st.integers(-3, 3), min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


def target_matrices(c: int, d: int) -> SearchStrategy[np.ndarray]:
    """Return integer matrices Q (c, d) of every rank from 0 to min(c, d), products of small factors."""

    def multiplied(factors: tuple[Any, Any]) -> np.ndarray:
        return np.array(factors[0], object) @ np.array(factors[1], object)

    factored = [st.tuples(small_integers(c, q), small_integers(q, d)).map(multiplied) for q in range(1, min(c, d) + 1)]
    return st.one_of(*factored)


def sampled(Q: np.ndarray, widths: Sequence[int], count: int, seed: int) -> list[list[list[list[int | str]]]]:
    """Return generic minima as JSON."""
    rng = np.random.default_rng(seed)
    return [[as_json(layer) for layer in sample_linear_minimum(rng, Q, widths)] for _ in range(count)]
