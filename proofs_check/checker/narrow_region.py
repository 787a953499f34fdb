"""Certificates that an optimizer's region does not meet a component of a level set, nor its permutations.

The cells that the component may touch are those reachable from its representative after the cuts. For each, up to
the order of neurons (norms and loss do not see it), a vector nu bounds the loss of every net of the region in the cell.
Such a net has f = sum_j s_j D_j X u_j with u_j = |alpha_j| w_j and sigma_j * (X u_j) >= 0 entrywise. So for mu_j >= 0

    nu . f <= sum_j g_j . u_j <= h,    g_j = s_j X^T D_j nu + X^T (sigma_j * mu_j),

h the largest value of sum_j |alpha_j| g_j . w_j over the region, with R_W, R_A the radii and a norm each for W, alpha:

    W box:       g_j . w_j <= R_W |g_j|_1
                 alpha box: h = R_W R_A sum_j |g_j|_1;   alpha l2: h = R_W R_A (sum_j |g_j|_1^2)^(1/2)
    W spectral:  <G diag|alpha|, W> <= R_W |G diag|alpha||_* <= R_W (sum_j alpha_j^2 q_j)^(1/2), where
                 q_j = g_j . Lambda^-1 g_j, Lambda positive definite of trace 1 (Cauchy-Schwarz)
                 alpha l2: h = R_W R_A (max_j q_j)^(1/2);   alpha box: h = R_W R_A (sum_j q_j)^(1/2)

and for alpha fixed at 1 the box forms with R_A = 1. If nu . y > h then |y - f| |nu| >= nu . y - h, so that
(nu . y - h)^2 > 2 c nu . nu shows loss > c. With H = h^2 and N = 2 c nu . nu, both rational, this is nu . y > sqrt(H) +
sqrt(N), decided by squaring twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from proofs_check.checker.cells import MAX_CELLS, Types, cells, reachable, types
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow import read_cuts, require_level
from proofs_check.checker.narrow_read import (
    Ball,
    Problem,
    integer,
    items,
    parts,
    point,
    rational,
    read_problem,
    vector,
)
from proofs_check.exact.cell_linear import dot, inverse_forms
from proofs_check.exact.roots import compare_with_sum_of_roots

__all__ = ["check_region_avoids_component"]


def check_region_avoids_component(
    statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS
) -> str:
    """Check that no net of the region with loss <= level is in the representative's component; return it in words.

    "Component" is one of the level set without the region; permutations of its neurons are included.
    """
    setting = read_problem(problem)
    width_, level_, representative_ = parts(statement, "statement", ("width", "level", "representative"))
    nus_, avoid_ = parts(evidence, "evidence", ("nus", "avoid"))
    m, level = integer(width_, "width", 1), rational(level_, "level")
    balls = _balls(setting)
    representative = point(representative_, "representative", m, setting)
    require_level("the representative", representative, level, setting)
    kinds = types(setting, m, max_cells)
    graph = cells(kinds, m, read_cuts(nus_, setting, lambda bound: bound > level))
    avoided = {_avoided_cell(entry, m, kinds, setting, balls, level) for entry in items(avoid_, "avoid")}
    for cell in reachable(graph, kinds, representative):
        if tuple(sorted(cell)) not in avoided:
            raise CertificateError("a cell that the component may touch is missing from avoid")
    return f"no net of width {m} in the region with loss <= {level} lies in the representative's component"


def _balls(setting: Problem) -> tuple[Ball, Ball]:
    """Return the balls of W and alpha; output weights fixed at 1 fill the box of radius 1."""
    if setting.region is None:
        raise CertificateError("the problem has no region")
    balls = dict(setting.region)
    if setting.fixed:
        balls["A"] = Ball("linf", Fraction(1))
    if len(balls) < 2:
        raise CertificateError("the region needs a ball for W and one for A")
    return balls["W"], balls["A"]


def _avoided_cell(
    entry: Any, m: int, kinds: Types, setting: Problem, balls: tuple[Ball, Ball], level: Fraction
) -> tuple[int, ...]:
    """Return the cell (types in increasing order) of one entry, if its multipliers show loss > level in the region."""
    spectral = balls[0].norm == "spectral"
    names = ("cell", "nu", "mu", "lambda") if spectral else ("cell", "nu", "mu")
    cell_, nu_, mu_, *matrix_ = parts(entry, "avoid", names, () if spectral else ("lambda",))
    n, d = len(setting.y), len(setting.X[0])
    nu = vector(nu_, "avoid nu", n)
    number = {pattern: p for p, pattern in enumerate(kinds.cones.patterns)}
    cell, g = [], []
    for named, mu_row in zip(items(cell_, "avoid cell", m), items(mu_, "avoid mu", m), strict=True):
        pattern_, s = items(named, "avoid cell, a type", 2)
        pattern = tuple(integer(sign, "avoid cell, a sign", -1) for sign in items(pattern_, "avoid cell", n))
        if pattern not in number or type(s) is not int or s not in kinds.signs:
            raise CertificateError("avoid: the cell names a type that is not there")
        mu = vector(mu_row, "avoid mu", n)
        if min(mu) < 0:
            raise CertificateError("avoid mu: a multiplier is negative")
        cell.append(number[pattern] * len(kinds.signs) + kinds.signs.index(s))
        weight = [s * (sign > 0) * v + sign * q for sign, v, q in zip(pattern, nu, mu, strict=True)]
        g.append([dot(weight, column) for column in zip(*setting.X, strict=True)])
    if spectral:
        sizes = _inverse_forms(matrix_[0], g, d)
    else:
        sizes = [sum((abs(value) for value in row), Fraction(0)) for row in g]
    support = support_squared(sizes, balls)
    if compare_with_sum_of_roots(dot(nu, setting.y), support, 2 * level * dot(nu, nu)) <= 0:
        raise CertificateError("avoid: the bound does not exceed the level")
    return tuple(sorted(cell))


def _inverse_forms(value: Any, g: Sequence[Sequence[Fraction]], d: int) -> list[Fraction]:
    """Return g_j . Lambda^-1 g_j for a symmetric positive definite matrix of trace 1."""
    matrix = [vector(row, "avoid lambda", d) for row in items(value, "avoid lambda", d)]
    if (
        any(matrix[i][j] != matrix[j][i] for i in range(d) for j in range(i))
        or sum(matrix[i][i] for i in range(d)) != 1
    ):
        raise CertificateError("avoid lambda: expected a symmetric matrix of trace 1")
    found = inverse_forms(matrix, g)
    if found is None:
        raise CertificateError("avoid lambda: expected a positive definite matrix")
    return found


def support_squared(sizes: Sequence[Fraction], balls: tuple[Ball, Ball]) -> Fraction:
    """Return h^2 from |g_j|_1 (W in a box) or g_j . Lambda^-1 g_j (W in a spectral ball); see the module's table."""
    inner, outer = balls
    if inner.norm == "linf":
        squared = sum(sizes, Fraction(0)) ** 2 if outer.norm == "linf" else sum((x * x for x in sizes), Fraction(0))
    else:
        squared = sum(sizes, Fraction(0)) if outer.norm == "linf" else max(sizes)
    return (inner.radius * outer.radius) ** 2 * squared
