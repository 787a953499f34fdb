"""From a float answer to a rational net with exactly the prediction that is wanted, and with few neurons.

Each u_t is written in the generators of its cone, so that rounding cannot leave it; the coefficients are rounded and
moved, by exact least squares in those that are clearly positive, onto the n equations f = target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from modeconn.capacity.net import ExactNet, ExactNeuron
from modeconn.capacity.neuron_types import TypeSystem, independent_rows
from modeconn.cells import common_denominator, float_nnls, solve_integer

__all__ = ["exact_net", "level_target", "live_types", "vertex"]

Vector = tuple[Fraction, ...]

THRESHOLDS = (1e-9, 1e-7, 1e-5, 1e-3)
"""Coefficients below this share of the largest are dropped, tried in turn."""

DIGITS = 14


def live_types(u: Float[np.ndarray, "k d"], beta: Float[np.ndarray, " k"], share: float = 1e-7) -> list[int]:
    """Return the rows whose neuron is more than rounding."""
    size = np.abs(u).max(axis=1, initial=0.0)
    return [j for j in range(len(beta)) if beta[j] > share * beta.max() and size[j] > share * size.max()]


def vertex(
    system: TypeSystem,
    active: Sequence[int],
    u: Float[np.ndarray, "k d"],
    beta: Float[np.ndarray, " k"] | None = None,
    copies: Float[np.ndarray, " k"] | None = None,
) -> Float[np.ndarray, " k"]:
    """Return t >= 0, few of them positive, such that (t u, t beta) is as good as (u, beta).

    Scaling a neuron by sqrt(t) scales its prediction, Gram matrix, beta and gauge by t (claim W1), so a vertex of a
    linear program in t keeps f and W W^T and does not increase |alpha|^2: at most n + d (d + 1) / 2 of t are positive.
    With copies it keeps |alpha|^2 and does not increase their sum: one more. Without beta it keeps f and does not
    increase the total |u|_inf: at most n. Ones when the simplex method fails.
    """
    from scipy.optimize import linprog

    rows = [np.stack([system.maps[t] @ row for t, row in zip(active, u, strict=True)], axis=1)]
    cost = copies if copies is not None else np.abs(u).max(1) if beta is None else beta
    if copies is not None and beta is not None:
        rows.append(beta[None, :])
    if beta is not None:
        upper = np.triu_indices(system.d)
        rows.append(np.stack([(np.outer(w, w) / b)[upper] for w, b in zip(u, beta, strict=True)], axis=1))
    A = np.concatenate(rows)
    size = np.abs(A).max(1)
    A = A[size > 0] / size[size > 0, None]
    _, s, right = np.linalg.svd(A, full_matrices=False)
    A = right[s > 1e-9 * s[0]]  # dependent rows, rounded, would be a contradiction to the solver
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    answer = linprog(cost / cost.max(), A_eq=A, b_eq=A.sum(1), method="highs-ds", options=options)
    return np.asarray(answer.x) if answer.status == 0 else np.ones(len(u))


def level_target(system: TypeSystem, prediction: Float[np.ndarray, " n"], level: Fraction) -> Vector:
    """Return an exact prediction of loss <= level near a float one: on the segment from it to the closest one to y."""
    closest = system.closest
    room = level - system.loss(closest)
    if room <= 0:  # nothing to spare
        return closest
    rounded = tuple(Fraction(float(v)).limit_denominator(10**DIGITS) for v in prediction)
    step = [a - b for a, b in zip(rounded, closest, strict=True)]
    share = Fraction(1)
    excess = system.loss(rounded) - level
    if excess > 0:  # loss - least loss falls as share^2 on the segment, as closest is a projection
        ratio = float(room) / float(room + excess)
        share = Fraction(math.floor(math.sqrt(ratio) * (1 - 1e-13) * 10**DIGITS), 10**DIGITS)
    return tuple(c + share * v for c, v in zip(closest, step, strict=True))


def exact_net(
    system: TypeSystem,
    active: Sequence[int],
    u: Float[np.ndarray, "k d"],
    beta: Float[np.ndarray, " k"],
    target: Vector | None = None,
    copies: Sequence[int] | None = None,
) -> ExactNet | None:
    """Return a rational net near floats that predicts ``target`` exactly, ``None`` if none was found.

    Cost: an exact solve with at most n unknowns.

    Args:
        system: the data.
        active: the type of each row.
        u: (k, d).
        beta: (k,), positive.
        target: exact prediction, in the span of the features; ``None`` to round only.
        copies: (k,) into how many equal parts each neuron is cut (default 1).
    """
    for threshold in THRESHOLDS if target is not None else (1e-10,):
        terms: Terms | None = _generator_terms(system, active, u, threshold)
        if target is not None and terms is not None:
            terms = _moved(system, active, terms, target)
        if terms is None or any(c < 0 for _, _, c in terms):
            continue
        sums: dict[int, list[Fraction]] = {}
        for j, g, c in terms:
            vector = sums.setdefault(j, [Fraction(0)] * system.d)
            generator = system.types[active[j]].generators[g]
            sums[j] = [a + c * b for a, b in zip(vector, generator, strict=True)]
        neurons = []
        for j, vector in sorted(sums.items()):
            if any(vector):
                scale = _unit(float(np.max(beta)))
                b = max(round(Fraction(float(beta[j])) / scale), 1) * scale
                k = 1 if copies is None else copies[j]
                part = ExactNeuron(tuple(v / k for v in vector), b / k, system.types[active[j]].s)
                neurons += [part] * k
        net = ExactNet(system, tuple(neurons))
        if target is None or net.prediction == target:
            return net
    return None


Terms = list[tuple[int, int, Fraction]]
"""Row, generator of its type, coefficient."""


def _unit(size: float) -> Fraction:
    return Fraction(10) ** (math.floor(math.log10(size)) - DIGITS) if size > 0 else Fraction(1)


def _generator_terms(system: TypeSystem, active: Sequence[int], u: Float[np.ndarray, "k d"], threshold: float) -> Terms:
    """Return rounded coefficients of the rows of u in the generators of their cones, the small ones left out."""
    found = []
    for j, t in enumerate(active):
        G = np.array(system.types[t].generators, float).reshape(-1, system.d)
        size = np.linalg.norm(G, axis=1)
        found += [(j, g, float(v), float(size[g])) for g, v in enumerate(float_nnls((G / size[:, None]).T, u[j]))]
    top = max((length for _, _, length, _ in found), default=0.0)
    terms = []
    for j, g, length, size in found:
        if length > threshold * top:
            unit = _unit(top / size)  # generators differ in size by many digits
            terms.append((j, g, round(Fraction(length / size) / unit) * unit))
    return terms


def _moved(system: TypeSystem, active: Sequence[int], terms: Terms, target: Vector) -> Terms | None:
    """Return the terms moved by the least change that makes the prediction exact; ``None`` if they do not span it.

    In integers: columns a_k = s D (q X) g_k, weights w_k about 1 / |g_k|^2 (powers of two), change w_k a_k . x with
    A diag(w) A^T x = q target - A c.
    """
    if not terms:
        return [] if not any(target) else None
    generators = [system.types[active[j]].generators[g] for j, g, _ in terms]
    columns = [system.integer_column(active[j], v) for (j, _, _), v in zip(terms, generators, strict=True)]
    sizes = [sum(a * a for a in v).bit_length() for v in generators]
    weights = [1 << (max(sizes) - size) for size in sizes]
    unit = common_denominator([*(c for _, _, c in terms), *target])
    whole = [int(c * unit) for _, _, c in terms]
    rest = [
        int(goal * unit) * system.scale - sum(c * column[i] for c, column in zip(whole, columns, strict=True))
        for i, goal in enumerate(target)
    ]
    rows = [[column[i] for column in columns] for i in range(system.n)]
    weighted = [[w * a for w, a in zip(weights, row, strict=True)] for row in rows]
    gram = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in rows] for p in weighted]
    solved = _solved(gram, rest)
    if solved is None:
        return None
    x, divisor = solved
    divisor *= unit
    return [
        (j, g, c + Fraction(w * sum(a * b for a, b in zip(x, column, strict=True)), divisor))
        for (j, g, c), w, column in zip(terms, weights, columns, strict=True)
    ]


def _solved(gram: list[list[int]], rest: list[int]) -> tuple[list[int], int] | None:
    """Return integers (z, q) with G z = q r for a Gram matrix G, ``None`` if r is not in its range (as is checked)."""
    rows = [tuple(row) for row in gram]
    chosen = independent_rows(rows, len(rows))
    found = solve_integer([[rows[i][k] for k in chosen] for i in chosen], [rest[i] for i in chosen])
    if found is None:
        return None
    z, q = [0] * len(rows), found[1]
    for i, v in zip(chosen, found[0], strict=True):
        z[i] = v
    exact = all(sum(a * b for a, b in zip(row, z, strict=True)) == q * r for row, r in zip(rows, rest, strict=True))
    return (z, q) if exact else None
