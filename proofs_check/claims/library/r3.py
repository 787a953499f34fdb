"""R3: a rational vector certifies the least radius of Muon's ball from below, and with mu it meets a net from above."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from modeconn.capacity import Dual, round_dual
from modeconn.capacity.dual import dual_certificate
from modeconn.capacity.rounding import decimal_root
from proofs_check.claims.claim import Claim, Control, Instance, Outcome
from proofs_check.claims.library.r_cases import (
    FITTABLE,
    SHAPES,
    accept_for,
    capacity_of,
    level_of,
    regional_problems,
    states,
    system_of,
)

__all__ = ["CLAIM"]

GAP = Fraction(1, 10**6)
"""Largest relative gap between the two ends of B_M*^2: what rounding may cost."""


def _upper(instance: Instance) -> Fraction:
    square = capacity_of(instance).square_upper
    assert square is not None, "there is a net"
    return square


def _drawn_dual(instance: Instance) -> Dual:
    """Return a dual vector with nu and Lambda drawn, and the best mu for them."""
    system, rng = system_of(instance), np.random.default_rng(instance["seed"])
    root = rng.normal(size=(system.d, system.d))
    shape = root @ root.T + 0.01 * np.eye(system.d)
    return round_dual(system, system.targets + rng.normal(size=system.n), shape / np.trace(shape))


def _check(instance: Instance) -> Outcome:
    """Return the smallest of: gap allowed less gap found; upper end above the lower; above a drawn vector's bound."""
    capacity, upper = capacity_of(instance), _upper(instance)
    random, level = _drawn_dual(instance), level_of(instance)
    drawn = random.product_bound(level)
    if drawn:
        certificate = dual_certificate(random, level, None)
        accept_for(instance, certificate)
        states(certificate, level, drawn)
    gap = 1 - capacity.square_lower / upper
    margin = min(GAP - gap, gap, 1 - drawn / upper)
    detail = {"lower": float(capacity.square_lower), "upper": float(upper), "gap": float(gap), "drawn": float(drawn)}
    return Outcome(margin, certified=True, detail=detail)


def _bounds(instance: Instance, dual: Dual) -> Outcome:
    """Return the check that what a dual vector says is at most the square of a radius that is attained."""
    upper, bound = _upper(instance), dual.product_bound(level_of(instance))
    return Outcome(1 - bound / upper, detail={"bound": float(bound), "upper": float(upper)})


def _trace_two(instance: Instance) -> Outcome:
    """Check: Lambda may have trace 2."""
    dual = capacity_of(instance).dual
    assert dual.shape is not None, "the ball is spectral"
    loose = replace(dual, shape=tuple(tuple(2 * v for v in row) for row in dual.shape))
    return _bounds(instance, loose.scaled(Fraction(14142, 10000)))


def _any_sign(instance: Instance) -> Outcome:
    """Check: mu may have any sign: least squares in place of non-negative least squares, rounded and scaled exactly.

    (Turning the sign of all mu changes nothing: type (D, s) with -mu is type (D, -s) with mu, up to the sign of g.)
    """
    system, dual = system_of(instance), capacity_of(instance).dual
    assert dual.shape is not None, "the ball is spectral"
    root = np.linalg.inv(np.linalg.cholesky(np.array([[float(v) for v in row] for row in dual.shape])))
    nu = np.array([float(v) for v in dual.nu])
    mu = np.zeros((len(system.types), system.n))
    for t, kind in enumerate(system.types):
        if kind.walls:
            mu[t, list(kind.walls)] = np.linalg.lstsq(root @ system.walls(t).T, -root @ system.maps[t].T @ nu)[0]
    loose = replace(dual, mu=tuple(tuple(map(Fraction, row)) for row in mu.tolist()))
    square = loose.gauge_square
    return _bounds(instance, loose.scaled(decimal_root(1 / square, up=False) if square else Fraction(10**6)))


def _without_mu(instance: Instance) -> Outcome:
    """Check: mu may be left out of the vector that meets the net."""
    dual = capacity_of(instance).dual
    bare = replace(dual, mu=((Fraction(0),) * dual.system.n,) * len(dual.mu))
    return Outcome(1 - bare.gauge_square, detail={"gauge_square": float(bare.gauge_square)})


CLAIM = Claim(
    id="R3",
    statement=(
        "any nu and Lambda > 0 of trace 1 such that for every pattern D and both signs some mu >= 0 has "
        "|Lambda^(-1/2) (+-X^T D nu + X^T (2D - I) mu)| <= 1 give B_M*^2 >= nu.y - |nu| sqrt(2c), and the best of them "
        "meets an explicit net (one output): the checker accepts both ends and the bound of a drawn vector (margin: "
        "1e-6 less the relative gap of the ends; what the drawn nu and Lambda give stays below the net)"
    ),
    source="theory R3, proved there",
    instances=lambda shape: regional_problems(shape, eighths=(0, 0, 1, 4), seed=range(1000)),
    shapes=SHAPES,
    check=_check,
    hypotheses=(FITTABLE,),
    controls=(
        Control("mu-of-any-sign", "the same with mu of any sign", check=_any_sign),
        Control("trace-two", "the same with Lambda of trace 2", check=_trace_two),
        Control("mu-left-out", "the vector that meets the net may leave its mu out", check=_without_mu),
    ),
    cost=3.0,
)
