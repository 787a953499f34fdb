"""Certificates of kind "attained": some net of width m in the region reaches a level; the net is shown.

With a list of regions it says that they meet at this level.

Reference: theory.md section 2c, claims R1, R2, R3.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from operator import mul
from typing import Any

from proofs_check.checker.cell_state import State, find_violation, read_neuron
from proofs_check.checker.frame import CertificateError, ProblemError
from proofs_check.checker.narrow_read import Problem, brief, integer, items, parts, rational, read_problem
from proofs_check.checker.wide_read import Prediction, at_most, common_scale
from proofs_check.checker.wide_region import Constraint, read_region
from proofs_check.exact.psd import whole_rows

__all__ = ["check_attained", "read_data"]


def check_attained(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide an ``"attained"`` certificate; return the accepted statement in words.

    Statement: ``{"width", "level"}``: a net of this width in the region has half squared error at most ``level``.
    Evidence: ``{"neurons"}``, at most ``width`` of them, ``[["u", ...], "beta", s]`` as in a cell-path certificate; the
    others are 0.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: ``{"X", "y", "region"}``, decimals as they are written; output weights are free.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.

    Example:
        >>> problem = {"X": [[1], [-1]], "y": [2, 0], "region": {"norm": "spectral", "radius": "1.5"}}
        >>> check_attained({"width": 3, "level": 0}, {"neurons": [[["2"], "2", 1]]}, problem)
        'a net of width 3 in the region has loss <= 0'
    """
    setting, region = read_data(problem)
    if not region:
        raise ProblemError("problem: expected a region")
    width_, level_ = parts(statement, "statement", ("width", "level"))
    (neurons_,) = parts(evidence, "evidence", ("neurons",))
    width, level = integer(width_, "width", 1), rational(level_, "level")
    inputs = len(setting.X[0])
    neurons = [read_neuron(entry, "neurons, a neuron", inputs) for entry in items(neurons_, "neurons")]
    if len(neurons) > width:
        raise CertificateError(f"neurons: expected at most {brief(Fraction(width))}, found {len(neurons)}")
    common_scale((value for neuron in neurons for value in neuron.u), "u")
    scale_u, u = whole_rows([neuron.u for neuron in neurons] or [[Fraction(0)] * inputs])
    scale_beta = common_scale((neuron.beta for neuron in neurons), "beta")
    beta = [int(neuron.beta * scale_beta) for neuron in neurons] or [0]
    scale_x, X = whole_rows(setting.X)
    prediction = Prediction([[y] for y in setting.y], scale_x * scale_u)
    for total, row in zip(prediction.sums, X, strict=True):
        for neuron, whole in zip(neurons, u, strict=False):
            total[0] += neuron.s * max(sum(map(mul, row, whole)), 0)
    prediction.require_level(level, "neurons")
    if ball := find_violation(State(u, beta, scale_u, scale_beta), region):
        raise CertificateError(f"neurons: outside {ball}")
    return f"a net of width {brief(Fraction(width))} in the region has loss <= {at_most(level)}"


def read_data(problem: Mapping[str, Any]) -> tuple[Problem, tuple[Constraint, ...]]:
    """Return the data of a problem with free output weights, and the balls of its region, none if it has none.

    Raises:
        ProblemError: malformed, a ridge term, or output weights fixed at 1.
    """
    setting = read_problem({key: value for key, value in problem.items() if key != "region"})
    if setting.fixed:
        raise ProblemError("problem output_weights: certificates about regions of wide nets need free output weights")
    value = problem.get("region")
    try:
        return setting, () if value is None else read_region(value)
    except CertificateError as error:
        raise ProblemError(str(error)) from None
