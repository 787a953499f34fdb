"""Minima of the teacher-student model as instances of claims, and the checker's word on paths of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from modeconn.star import Minima, dyadic_magnitudes, path_certificate, path_problem
from proofs_check.checker import check_certificate
from proofs_check.claims.claim import Hypothesis, Instance

__all__ = [
    "ALPHA",
    "SEEDS",
    "WELL_FORMED",
    "accept_path",
    "exact_rows",
    "has_matching",
    "label_steps",
    "minima",
    "minimum_of",
]

ALPHA = Fraction(1, 10**9)
"""Level of a statistical refutation: a true statement is refuted by one instance with at most this probability."""

SEEDS = st.integers(0, 2**32 - 1)


def minima(M: int, m: int) -> SearchStrategy[dict[str, Any]]:
    """Return minima as labels, every teacher served, and positive integers in whose ratios the magnitudes stand."""
    rest = st.lists(st.integers(0, M), min_size=m - M, max_size=m - M)
    labels = rest.flatmap(lambda extra: st.permutations([*range(1, M + 1), *extra]))
    sizes = st.lists(st.integers(1, 5), min_size=m, max_size=m)
    return st.fixed_dictionaries({"labels": labels, "sizes": sizes})


def _is_minimum(drawn: Any, M: int) -> bool:
    labels, sizes = drawn["labels"], drawn["sizes"]
    return {*range(1, M + 1)} <= {*labels} <= {*range(M + 1)} and len(labels) == len(sizes) and min(sizes) > 0


WELL_FORMED = Hypothesis(
    "all are minima: rows on the teachers' rays, every teacher served",
    lambda i: all(_is_minimum(i[key], i["M"]) for key in ("first", "second") if key in i),
)


def exact_rows(drawn: Any, d: int) -> list[list[Fraction]]:
    """Return the exact matrix, one neuron a row: row i is sizes[i] / (sum of the sizes of its teacher) e_labels[i]."""
    labels, sizes = drawn["labels"], drawn["sizes"]
    total = {j: sum(s for k, s in zip(labels, sizes, strict=True) if k == j) for j in set(labels)}
    return [
        [Fraction(s, total[j]) if j == axis else Fraction(0) for axis in range(1, d + 1)]
        for j, s in zip(labels, sizes, strict=True)
    ]


def minimum_of(drawn: Any, M: int) -> Minima:
    """Return the minimum nearest to it among those that floats hold exactly; the same labels."""
    labels, sizes = np.array([drawn["labels"]]), np.array([drawn["sizes"]], float)
    return Minima(labels[0], dyadic_magnitudes(labels, sizes, M)[0])


def accept_path(corners: Sequence[Minima], ends: tuple[Minima, Minima], pieces: int, d: int) -> None:
    """Raise unless the checker accepts the corners as at most so many pieces of minima from one end to the other."""
    if len(corners) - 1 > pieces:
        raise AssertionError(f"a constructed path has {len(corners) - 1} pieces, more than {pieces}")
    if any(
        (a != b).any() for c, e in zip((corners[0], corners[-1]), ends, strict=True) for a, b in zip(c, e, strict=True)
    ):
        raise AssertionError("a constructed path misses an end")
    found = check_certificate(path_certificate(corners, d), path_problem(*ends, d))
    if not found.accepted:
        raise AssertionError(f"the checker does not accept a constructed path: {found.reason}")


def has_matching(labels: np.ndarray, M: int) -> bool:
    """Return whether k minima have a common centre, by a maximum matching of teachers to places; labels (k, m)."""
    graph = np.stack([((labels == 0) | (labels == j)).all(0) for j in range(1, M + 1)])
    return bool((maximum_bipartite_matching(csr_matrix(graph), perm_type="column") >= 0).all())


def label_steps(instance: Instance, limit: int) -> int | None:
    """Return the least number of straight pieces between two minima, by breadth first search over all labellings.

    Whether two minima are linearly connected depends on their labels alone, and every labelling that serves all
    teachers has a minimum; ``None`` if more than ``limit``. Cost O((M + 1)^m m) a step.
    """
    M, start, end = instance["M"], instance["first"]["labels"], instance["second"]["labels"]
    nodes = np.stack(np.meshgrid(*[np.arange(M + 1)] * len(start), indexing="ij"), -1).reshape(-1, len(start))
    nodes = nodes[np.all([(nodes == j).any(1) for j in range(1, M + 1)], axis=0)]
    reached = (nodes == start).all(1)
    goal = (nodes == end).all(1)
    for steps in range(limit + 1):
        if (reached & goal).any():
            return steps
        joined = [((nodes == 0) | (node == 0) | (nodes == node)).all(1) for node in nodes[reached]]
        reached = reached | np.any(joined, axis=0)
    return None
