"""Small integer problems for the claims about narrow nets: degenerate on purpose, and cheap to draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, Landscape, LevelSet, Problem, level_set_topology, problem_from_json
from modeconn.topology.level_set import join_level_set
from proofs_check.claims.claim import Instance, Shape

__all__ = [
    "ROWS",
    "TARGETS",
    "build_problem",
    "draw_taught",
    "has_several_orbits",
    "level_set_of",
    "problem_data",
    "problem_of",
    "problems",
    "several_orbits",
    "zero_loss",
]

ENTRY = 3
"""Largest entry of X in absolute value before rows are multiplied."""


def _generic(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.integers(-ENTRY, ENTRY + 1, (n, d))


def _small(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.integers(-1, 2, (n, d))


def _duplicate(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return _generic(rng, n, d)[rng.integers(0, n, n)]


def _parallel(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.choice([-2, -1, 1, 2], (n, 1)) * _duplicate(rng, n, d)


def _zero_row(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    rows = _generic(rng, n, d)
    rows[rng.integers(n)] = 0
    return rows


def _low_rank(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.integers(-2, 3, (n, 1)) * rng.integers(-2, 3, (1, d))


def _bias(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    rows = _generic(rng, n, d)
    rows[:, -1] = 1
    return rows


ROWS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "generic": _generic,
    "small": _small,
    "duplicate": _duplicate,
    "parallel": _parallel,
    "zero-row": _zero_row,
    "low-rank": _low_rank,
    "bias": _bias,
}
"""Ways to draw the rows of X: entries in -3..3, in -1..1, equal rows, multiples of one another, a row of zeros, rank
one, a constant column."""


def _taught(rng: np.random.Generator, X: np.ndarray, width: int, signs: Sequence[int]) -> np.ndarray:
    hidden = np.maximum(X @ rng.integers(-2, 3, (X.shape[1], width)), 0)
    outputs: np.ndarray = hidden @ rng.choice(signs, width)
    return outputs


def _random(rng: np.random.Generator, X: np.ndarray, width: int, signs: Sequence[int]) -> np.ndarray:
    return rng.integers(-2, 3, len(X))


def _column(rng: np.random.Generator, X: np.ndarray, width: int, signs: Sequence[int]) -> np.ndarray:
    return X[:, rng.integers(X.shape[1])]


def _one(rng: np.random.Generator, X: np.ndarray, width: int, signs: Sequence[int]) -> np.ndarray:
    return 2 * np.eye(len(X), dtype=np.int64)[rng.integers(len(X))]


TARGETS: dict[str, Callable[[np.random.Generator, np.ndarray, int, Sequence[int]], np.ndarray]] = {
    "random": _random,
    "taught": _taught,
    "column": _column,
    "one": _one,
}
"""Ways to draw y: integers in -2..2, the outputs of a net of the same width, a column of X, one nonzero target."""


def problems(
    shape: Shape,
    rows: Sequence[str] = tuple(ROWS),
    targets: Sequence[str] = tuple(TARGETS),
    output_weights: Sequence[str] = ("free", "free", "fixed"),
) -> SearchStrategy[dict[str, Any]]:
    """Return instances ``{"problem", "width"}`` of shape (n, d, m) with integer entries.

    As with :func:`proofs_check.claims.library.tensors.tensors`, Hypothesis draws kinds and a seed, NumPy the entries.

    Example:
        >>> from proofs_check.claims.draws import draw
        >>> seen = []
        >>> draw(problems((3, 2, 2)), 40, 0, lambda instance: seen.append(str(instance)))
        >>> len(set(seen))
        40
    """
    kinds = (st.sampled_from(list(choice)) for choice in (rows, targets, output_weights))
    return st.builds(build_problem, st.just(shape), *kinds, st.integers(0, 2**32 - 1))


def build_problem(shape: Shape, rows: str, targets: str, output_weights: str, seed: int) -> dict[str, Any]:
    """Return the instance ``{"problem", "width"}`` of shape (n, d, m) that belongs to a seed."""
    n, d, m = shape
    rng = np.random.default_rng(seed)
    X = ROWS[rows](rng, n, d)
    y = TARGETS[targets](rng, X, m, (1, -1) if output_weights == "free" else (1,))
    return {"problem": {"X": X.tolist(), "y": y.tolist(), "output_weights": output_weights}, "width": m}


def several_orbits(shape: Shape, output_weights: Sequence[str] = ("free", "fixed")) -> SearchStrategy[dict[str, Any]]:
    """Return instances of shape (n, d, m) whose problem is only named: see :func:`problem_data`.

    Hypothesis draws more instances than are visited, so the search behind the name is left to those that are.
    """
    n, d, m = shape

    def build(outputs: str, seed: int) -> dict[str, Any]:
        return {"problem": {"n": n, "d": d, "output_weights": outputs, "seed": seed}, "width": m}

    return st.builds(build, st.sampled_from(list(output_weights)), st.integers(0, 2**32 - 1))


def problem_data(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Return X, y and output weights of an instance.

    An instance holds them, or the seed of a search: then it is the first of the problems drawn from this seed (distinct
    nonzero rows of small integers, targets of a net) whose zero-loss nets fall into several orbits.
    """
    given: dict[str, Any] = instance["problem"]
    if "seed" not in given:
        return given
    return _first_of_several_orbits(given["n"], given["d"], instance["width"], given["output_weights"], given["seed"])


@lru_cache(maxsize=256)
def _first_of_several_orbits(n: int, d: int, width: int, output_weights: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    while True:
        data = draw_taught(rng, n, d, width, output_weights)
        if has_several_orbits(data, width):
            return data


def draw_taught(rng: np.random.Generator, n: int, d: int, width: int, output_weights: str) -> dict[str, Any]:
    """Return a problem with distinct nonzero rows in -3..3, its targets the outputs of a net of this width."""
    X = np.zeros((n, d), np.int64)
    while not (X.any(1).all() and len(np.unique(X, axis=0)) == n):
        X = _generic(rng, n, d)
    y = _taught(rng, X, width, (1, -1) if output_weights == "free" else (1,))
    return {"X": X.tolist(), "y": y.tolist(), "output_weights": output_weights}


def has_several_orbits(data: Mapping[str, Any], width: int) -> bool:
    """Return whether the zero-loss nets of a problem fall into several orbits, exactly."""
    joined, _ = join_level_set(CellComplex(problem_from_json(data), width), Fraction(0))
    return len(joined.roots()) > 1


def problem_of(instance: Instance) -> Problem:
    """Return the problem of an instance."""
    return problem_from_json(problem_data(instance))


def zero_loss(problem: Problem) -> Fraction:
    """Return 1/2 |y|^2, the loss of the zero net: at this level everything is connected."""
    return sum((v * v for v in problem.y), Fraction(0)) / 2


def level_set_of(instance: Mapping[str, Any], eighths: int = 0) -> LevelSet:
    """Return the level set of an instance, ``eighths`` of the way up from the least loss to that of the zero net."""
    return _level_set(json.dumps(problem_data(instance), sort_keys=True), instance["width"], eighths)


@lru_cache(maxsize=64)
def _level_set(problem: str, width: int, eighths: int) -> LevelSet:
    cells = CellComplex(_landscape(problem), width)
    least = cells.least_loss()
    return level_set_topology(cells, level=least + Fraction(eighths, 8) * (zero_loss(cells.landscape.problem) - least))


@lru_cache(maxsize=64)
def _landscape(problem: str) -> Landscape:
    return Landscape(problem_from_json(json.loads(problem)))
