"""Certificates of kind "least-radius": nets that reach a level need a large product of radii, whatever their weights.

Let ||W|| <= r_W, ||alpha|| <= r_A and loss <= c. Neuron j lies in some closed full-dimensional cone of the hyperplanes
x_i . w = 0, with signs sigma_j, and contributes s_j |alpha_j| D_j X w_j, D_j = diag(sigma_j > 0). For every such type
(sigma, s) the certificate names mu >= 0, and since sigma_j * (X w_j) >= 0 entrywise,

    nu . f <= sum_j |alpha_j| g_j . w_j,    g = s X^T D nu + X^T (sigma * mu).

Bounds, all in the full space of w (g lies in the row space of X, w need not):

    W spectral:  <G diag|alpha|, W> <= r_W ||G diag|alpha| ||_* <= r_W (sum_j alpha_j^2 q_j)^(1/2), where
                 q = g . Lambda^-1 g <= 1 for every type, Lambda positive definite of trace 1 (Cauchy-Schwarz)
    W linf:      g . w <= r_W |g|_1 and |g|_1 <= 1 for every type

So nu . f <= r_W r_A k, with k = 1 for two spectral norms (of any width), sqrt(m) for one of each kind, m for two boxes.
On the other side nu . f >= nu . y - |nu| sqrt(2 c). Hence b k <= nu . y - |nu| sqrt(2 c) shows r_W r_A >= b; it is
decided by squaring twice.

Reference: theory.md section 2c, claims R2, R3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from proofs_check.checker.attained import read_data
from proofs_check.checker.cells import MAX_CELLS, types
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import Problem, brief, integer, items, parts, rational, vector
from proofs_check.checker.wide_read import at_least, at_most
from proofs_check.exact.cell_linear import dot, inverse_forms
from proofs_check.exact.roots import compare_with_sum_of_roots

__all__ = ["check_least_radius"]

_NORMS = ("spectral", "linf")


def check_least_radius(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Decide a ``"least-radius"`` certificate; return the accepted statement in words.

    Statement: ``{"W", "A", "width", "level", "radius_product_lower"}``: every net of at most this width (null: of any
    width, where both norms are "spectral") with half squared error <= ``level``, W in a ball of radius r_W and the
    output weights in one of radius r_A of these norms, has ``r_W * r_A >= radius_product_lower``. Evidence:
    ``{"nu", "types"}``, and ``"lambda"`` where W is spectral; ``types`` are ``{"pattern", "sign", "mu"}``, one for each
    sign and each full-dimensional cone, an entry of the pattern being 1, -1, or 0 for a zero row of X.

    Cost: that of enumerating the cones, then O(cones (n d + d^2)) rational operations.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: ``{"X", "y"}``, decimals as they are written; a region is not used.
        max_cells: the largest number of types.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.

    Example:
        >>> statement = {"W": "spectral", "A": "spectral", "width": None, "level": 0, "radius_product_lower": 2}
        >>> types = [{"pattern": [p], "sign": s, "mu": ["0"]} for p in (1, -1) for s in (1, -1)]
        >>> evidence = {"nu": ["1"], "lambda": [["1"]], "types": types}
        >>> check_least_radius(statement, evidence, {"X": [[1]], "y": [2]})
        'every net with loss <= 0 has radii (W spectral) * (A spectral) >= 2'
    """
    setting, _ = read_data(problem)
    names = ("W", "A", "width", "level", "radius_product_lower")
    inner, outer, width_, level_, bound_ = parts(statement, "statement", names)
    if inner not in _NORMS or outer not in _NORMS:
        raise CertificateError('statement: expected the norms "spectral" or "linf" for W and A')
    boxes = (inner, outer).count("linf")
    width = None if width_ is None else integer(width_, "width", 1)
    if width is None and boxes:
        raise CertificateError("width: a box needs one; null is for two spectral norms")
    level, bound = rational(level_, "level"), rational(bound_, "radius_product_lower")
    if level < 0 or bound <= 0:
        raise CertificateError("statement: expected level >= 0 and radius_product_lower > 0")
    nu_, types_, *matrix_ = parts(evidence, "evidence", ("nu", "types", *(("lambda",) if inner == "spectral" else ())))
    nu = vector(nu_, "nu", len(setting.y))
    named = _read_types(types_, nu, setting)
    kinds = types(setting, 1, max_cells)
    for pattern in kinds.cones.patterns:
        for s in kinds.signs:
            if (pattern, s) not in named:
                raise CertificateError(f"types: the cone {_signs(pattern)} with sign {s} is missing")
    if len(named) != kinds.number:
        raise CertificateError(f"types: {len(named) - kinds.number} of them are no full-dimensional cones")
    vectors = list(named.values())
    sizes = (
        _inverse_forms(matrix_[0], vectors, len(setting.X[0]))
        if inner == "spectral"
        else [sum(map(abs, g), Fraction(0)) for g in vectors]
    )
    if max(sizes) > 1:
        raise CertificateError(f"types: the vector of one type has size {at_most(max(sizes))}, more than 1")
    share = Fraction(width or 1) ** boxes
    if compare_with_sum_of_roots(dot(nu, setting.y), bound * bound * share, 2 * level * dot(nu, nu)) < 0:
        raise CertificateError("the bound that nu shows is below radius_product_lower")
    nets = "every net" if width is None else f"every net of width <= {brief(Fraction(width))}"
    return f"{nets} with loss <= {at_least(level)} has radii (W {inner}) * (A {outer}) >= {at_least(bound)}"


def _read_types(
    value: Any, nu: Sequence[Fraction], setting: Problem
) -> dict[tuple[tuple[int, ...], int], list[Fraction]]:
    """Return g of every type (pattern, sign) that is named.

    Raises:
        CertificateError: malformed, a negative multiplier, a type named twice.
    """
    n = len(setting.y)
    columns = list(zip(*setting.X, strict=True))
    found: dict[tuple[tuple[int, ...], int], list[Fraction]] = {}
    for entry in items(value, "types"):
        pattern_, s, mu_ = parts(entry, "types, a type", ("pattern", "sign", "mu"))
        pattern = tuple(integer(sign, "types, a pattern", -1) for sign in items(pattern_, "types, a pattern", n))
        if integer(s, "types, sign", -1) not in (1, -1) or max(pattern) > 1:
            raise CertificateError("types: expected signs 1 and -1, in a pattern 0 as well")
        if (pattern, s) in found:
            raise CertificateError(f"types: the cone {_signs(pattern)} with sign {s} is named twice")
        mu = vector(mu_, "types, mu", n)
        if min(mu) < 0:
            raise CertificateError("types, mu: a multiplier is negative")
        weights = [s * (sign > 0) * v + sign * q for sign, v, q in zip(pattern, nu, mu, strict=True)]
        found[pattern, s] = [dot(weights, column) for column in columns]
    return found


def _inverse_forms(value: Any, vectors: Sequence[Sequence[Fraction]], size: int) -> list[Fraction]:
    """Return g . Lambda^-1 g for a symmetric positive definite matrix of trace 1."""
    matrix = [vector(row, "lambda", size) for row in items(value, "lambda", size)]
    if any(matrix[i][j] != matrix[j][i] for i in range(size) for j in range(i)):
        raise CertificateError("lambda: expected a symmetric matrix")
    if sum(matrix[i][i] for i in range(size)) != 1:
        raise CertificateError("lambda: expected trace 1")
    found = inverse_forms(matrix, vectors)
    if found is None:
        raise CertificateError("lambda: expected a positive definite matrix")
    return found


def _signs(pattern: Sequence[int]) -> str:
    """Return a pattern for a message, its beginning if it is long."""
    text = "".join("-0+"[sign + 1] for sign in pattern)
    return text if len(text) <= 40 else f"{text[:37]}..."
