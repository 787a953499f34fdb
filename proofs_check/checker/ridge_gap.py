"""Certificates from one dual point: the optimal value of a ridge problem, and interpolators of least norm.

* ``ridge-gap``: the least objective of the width lies in [lower, upper]: nu is dual feasible with
  nu . y - 1/2 |nu|^2 >= lower (true for every width), and a net has an objective <= upper.
* ``minimum-norm``: the problem without its ridge term: least sum_j |u_j|_2 (half of sum_j |w_j|^2 + alpha_j^2, once
  balanced) of a net of any width with f(X) = y. If |nu . relu(X u)| <= |u| for all u, then nu . y = nu . f
  <= sum_j |u_j|_2, so nets with f(X) = y and sum_j |u_j|_2 <= nu . y are optimal; an input at which their predictions
  differ shows that they are different functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import integer, items, loss, parts, point, rational, vector
from proofs_check.checker.ridge_problem import (
    norms_above,
    objective_above,
    read_dual_point,
    read_ridge_problem,
)
from proofs_check.checker.wide_read import at_least, at_most
from proofs_check.exact.cell_linear import dot

__all__ = ["check_minimum_norm", "check_ridge_gap"]


def check_ridge_gap(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check an interval for the least objective of a width; return the statement in words."""
    setting = read_ridge_problem(problem)
    width_, lower_, upper_ = parts(statement, "statement", ("width", "lower", "upper"))
    nu_, slopes_, net_ = parts(evidence, "evidence", ("nu", "slopes", "net"))
    m, lower, upper = integer(width_, "width", 1), rational(lower_, "lower"), rational(upper_, "upper")
    if objective_above(point(net_, "net", m, setting.data), setting) > upper:
        raise CertificateError("the net's objective is above the stated upper end")
    nu = read_dual_point(nu_, slopes_, setting, max_cells).nu
    if dot(nu, setting.data.y) - dot(nu, nu) / 2 < lower:
        raise CertificateError("the dual value nu . y - |nu|^2 / 2 is below the stated lower end")
    return (
        f"the least objective of width {m} lies in [{at_least(lower)}, {at_most(upper)}], "
        f"and no net of any width has an objective below {at_least(lower)}"
    )


def check_minimum_norm(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check that nets interpolate with least norm and are different functions; return the statement in words."""
    setting = read_ridge_problem(problem, ridge=Fraction(1))
    norm_, nets_ = parts(statement, "statement", ("norm", "nets"))
    nu_, slopes_, x_ = parts(evidence, "evidence", ("nu", "slopes", "x"))
    norm = rational(norm_, "norm")
    nets = [point(net, "nets", len(items(net, "nets")), setting.data) for net in items(nets_, "nets")]
    if not nets:
        raise CertificateError("nets: expected at least one")
    if any(loss(net, setting.data) != 0 for net in nets):
        raise CertificateError("a net does not interpolate the data")
    if any(norms_above(net) > norm for net in nets):
        raise CertificateError("a net's norm is above the stated one")
    nu = read_dual_point(nu_, slopes_, setting, max_cells).nu
    if dot(nu, setting.data.y) < norm:
        raise CertificateError("nu . y is below the stated norm: it is not shown to be the least")
    x = vector(x_, "x", len(setting.data.X[0]))
    values = [sum((n.s * max(dot(x, n.u), Fraction(0)) for n in net), Fraction(0)) for net in nets]
    if len(set(values)) < len(values):
        raise CertificateError("two of the nets have the same prediction at x")
    return f"{len(nets)} nets with different predictions interpolate the data with least norm {norm}"
