"""Regions and level sets of narrow nets: certified verdicts for every orbit, and nets sought inside a region."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from modeconn.topology import (
    Ball,
    LevelSet,
    Neuron,
    OrbitInRegion,
    Point,
    Problem,
    ProductRegion,
    certify_joined,
    certify_region_avoids,
    is_in_region,
    level_set_topology,
    orbits_in_region,
)
from proofs_check.claims.library.narrow_cases import Rejected, accept

__all__ = ["accept_verdicts", "confined", "nets_in_region", "region_set"]

GRID = 2**20
"""Weights found in floats are rounded to multiples of 1/GRID."""

INSIDE = 1 - 2.0**-12
"""They are shrunk by this factor first, so that rounding does not carry them out of the region."""


def confined(problem: Problem, norm: str, radius: Fraction) -> Problem:
    """Return the problem with the hidden and the output weights in balls of one norm and radius."""
    if norm not in ("linf", "spectral"):
        raise ValueError(f"norm: expected linf or spectral, found {norm!r}")
    ball = Ball("linf" if norm == "linf" else "spectral", radius)
    return Problem(problem.X, problem.y, problem.output_weights, region=ProductRegion(ball, ball))


def region_set(found: LevelSet, norm: str, radius: Fraction) -> LevelSet:
    """Return the same level set of the problem confined to a region: orbits come in the same order."""
    problem = confined(found.complex.landscape.problem, norm, radius)
    return level_set_topology(problem, found.complex.width, found.level)


def _component(found: LevelSet, orbit: int) -> int:
    return found.orbit_of.index(orbit)


def accept_verdicts(found: LevelSet) -> tuple[OrbitInRegion, ...]:
    """Return how every orbit lies to the region of the problem, undecided ones included.

    "avoids": the checker accepted. "meets": a rational net inside the region, exactly, that the checker accepted as
    joined in the level set to the representative, in some order of its neurons.

    Raises:
        Rejected: a certificate was refused.
    """
    problem, verdicts = found.complex.landscape.problem, orbits_in_region(found)
    for verdict in verdicts:
        component = _component(found, verdict.orbit)
        if verdict.verdict == "avoids":
            accept(certify_region_avoids(found, component, verdict), problem)
        elif verdict.point is not None:
            own = found.component_of(verdict.point)
            if own is None or found.orbit_of[own] != verdict.orbit:
                raise Rejected(f"the net that should show that orbit {verdict.orbit} meets the region is not in it")
            representative = found.components[own].representative
            accept(certify_joined(found.complex, verdict.point, representative, found.level), problem)
    return verdicts


def _project(W: np.ndarray, alpha: np.ndarray, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return stacks W (B, d, m) and alpha (B, m) moved into the region."""
    region = problem.region
    assert region is not None, "the problem has a region"
    inner, outer = float(region.W.radius) * INSIDE, float(region.A.radius) * INSIDE
    if region.W.norm == "linf":
        W = np.clip(W, -inner, inner)
    else:
        U, s, V = np.linalg.svd(W, full_matrices=False)
        W = (U * np.minimum(s, inner)[:, None, :]) @ V
    if problem.output_weights == "fixed":
        return W, alpha
    if region.A.norm == "linf":
        return W, np.clip(alpha, -outer, outer)
    return W, alpha * np.minimum(1.0, outer / np.maximum(np.linalg.norm(alpha, axis=1, keepdims=True), 1e-300))


def nets_in_region(problem: Problem, width: int, seed: int, starts: int = 12, steps: int = 120) -> list[Point]:
    """Return u-points of nets inside the region of the problem with low loss, from projected gradient descent.

    Every one is inside exactly. Cost: ``starts * steps`` gradients.
    """
    rng = np.random.default_rng(seed)
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    is_fixed = problem.output_weights == "fixed"
    assert problem.region is not None, "the problem has a region"
    size = float(problem.region.W.radius)
    W = rng.normal(size=(starts, X.shape[1], width)) * size
    alpha = np.ones((starts, width)) if is_fixed else rng.normal(size=(starts, width)) * size
    W, alpha = _project(W, alpha, problem)
    best, best_loss = (W, alpha), np.full(starts, np.inf)
    for k in range(steps):
        Z = X @ W
        H = np.maximum(Z, 0.0)
        residual = np.einsum("bnm,bm->bn", H, alpha) - y
        loss = np.square(residual).sum(1) / 2
        better = loss < best_loss
        best_loss = np.minimum(loss, best_loss)
        best = np.where(better[:, None, None], W, best[0]), np.where(better[:, None], alpha, best[1])
        dW = X.T @ (residual[:, :, None] * alpha[:, None, :] * (Z > 0))
        dalpha = np.zeros_like(alpha) if is_fixed else np.einsum("bnm,bn->bm", H, residual)
        norm = np.sqrt(np.square(dW).sum((1, 2)) + np.square(dalpha).sum(1))
        step = size * 0.5 * 0.95**k / np.maximum(norm, 1e-12)
        W, alpha = _project(W - step[:, None, None] * dW, alpha - step[:, None] * dalpha, problem)
    return [point for W, alpha in zip(*best, strict=True) if (point := _exact(problem, W, alpha)) is not None]


def _exact(problem: Problem, W: np.ndarray, alpha: np.ndarray) -> Point | None:
    """Return the u-point of rounded weights, ``None`` if they are not inside the region."""
    columns = [[Fraction(round(float(v) * GRID), GRID) for v in w] for w in W.T]
    outputs = [Fraction(round(float(v) * GRID), GRID) for v in alpha]
    point = tuple(
        Neuron(tuple(abs(a) * v for v in w), -1 if a < 0 else 1) for w, a in zip(columns, outputs, strict=True)
    )
    return point if is_in_region(problem, point, [a * a for a in outputs]) else None
