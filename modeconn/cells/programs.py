"""The door to the solvers of the small convex programs over cells, and the exact finish of their answers.

A float solver only *proposes* an active set. Its equations are solved again in integers, the optimality conditions are
checked exactly, and an exact active-set method takes over where the proposal was wrong: floats lie here (a ray with
-1e-16 in place of 0 makes an infeasible cell feasible; ``scipy.optimize.nnls`` is wrong in about one call of 10^4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.cells.rational import common_denominator, primitive, solve_integer

__all__ = ["ConeFit", "ConeProgram", "float_nnls"]

IntVector = tuple[int, ...]


def float_nnls(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return floats z >= 0 that should minimise |C z - y|, for C (n, k); zeros when the solver gives up.

    Lazy import of SciPy. The result is a proposal and nothing more. SciPy 1.17 ends the process on an empty matrix,
    so it is not asked about one.
    """
    if not columns.size:
        return np.zeros(columns.shape[1])
    from scipy.optimize import nnls

    try:
        return nnls(columns, target)[0]
    except RuntimeError:  # iteration limit: no proposal, the exact method starts from nothing
        return np.zeros(columns.shape[1])


@dataclass(frozen=True)
class ConeFit:
    """The exact solution of min 1/2 |C_S z - y|^2, z >= 0.

    Attributes:
        value: the least value, an exact fraction.
        support: columns with a positive coefficient (linearly independent).
        coefficients: their coefficients.
        nu: the residual y - C z as a primitive integer vector (zero iff the value is zero). It proves the value:
            nu . C_k <= 0 for all k in S, and (nu . y)^2 / (2 nu . nu) = value.
    """

    value: Fraction
    support: tuple[int, ...]
    coefficients: tuple[Fraction, ...]
    nu: IntVector


class ConeProgram:
    """Exact non-negative least squares over subsets S of a fixed list of integer columns.

    Example:
        >>> program = ConeProgram([(1, 0), (1, 1)], [Fraction(1), Fraction(-1)])
        >>> program.solve([0, 1])
        ConeFit(value=Fraction(1, 2), support=(0,), coefficients=(Fraction(1, 1),), nu=(0, -1))

    Args:
        columns: integer columns (K, n).
        target: y (n,), rational.
        propose: the float solver, (columns (n, k), y) -> z (k,).
    """

    def __init__(
        self,
        columns: Sequence[IntVector],
        target: Sequence[Fraction],
        propose: Callable[[np.ndarray, np.ndarray], np.ndarray] = float_nnls,
    ) -> None:
        self.columns = list(columns)
        self.scale = common_denominator(target)
        self.target = [int(v * self.scale) for v in target]
        self.propose = propose
        self.repairs = 0
        self._gram = [[_dot(a, b) for b in self.columns] for a in self.columns]
        self._moments = [_dot(a, self.target) for a in self.columns]
        matrix = np.array(self.columns, dtype=float).reshape(len(self.columns), len(self.target)).T
        self._norms = np.sqrt((matrix**2).sum(0))
        self._unit = matrix / np.where(self._norms > 0, self._norms, 1.0)
        self._float_target = np.array(self.target, dtype=float)

    def solve(self, indices: Sequence[int]) -> ConeFit:
        """Return the exact least squares fit over the cone of the columns ``indices``."""
        support: list[int] = []
        if len(indices):
            z = self.propose(np.ascontiguousarray(self._unit[:, indices]), self._float_target)
            support = [k for k, value in zip(indices, z, strict=True) if value > 0]
        stationary = self._stationary(support)
        if stationary is not None:
            z_exact, scale = stationary
            if any(v == 0 for v in z_exact):
                support = [k for k, v in zip(support, z_exact, strict=True) if v]
                z_exact = [v for v in z_exact if v]
            if all(v > 0 for v in z_exact):
                nu = self._residual(support, z_exact, scale)
                if all(_dot(nu, self.columns[k]) <= 0 for k in indices):
                    return self._fit(support, z_exact, scale, nu)
        self.repairs += 1
        return self._exact_active_set(indices)

    def _stationary(self, support: Sequence[int]) -> tuple[list[int], int] | None:
        """Return integers (z, q), z / q the unconstrained minimiser on the support; ``None`` if it is not unique."""
        return solve_integer(
            [[self._gram[a][b] for b in support] for a in support], [self._moments[a] for a in support]
        )

    def _residual(self, support: Sequence[int], z: Sequence[int], scale: int) -> list[int]:
        """Return scale * y - C z."""
        nu = [scale * v for v in self.target]
        for k, coefficient in zip(support, z, strict=True):
            nu = [v - coefficient * c for v, c in zip(nu, self.columns[k], strict=True)]
        return nu

    def _fit(self, support: Sequence[int], z: Sequence[int], scale: int, nu: Sequence[int]) -> ConeFit:
        unit = scale * self.scale
        order = sorted(range(len(support)), key=lambda i: support[i])
        return ConeFit(
            Fraction(_dot(nu, nu), 2 * unit * unit),
            tuple(support[i] for i in order),
            tuple(Fraction(z[i], unit) for i in order),
            primitive(nu),
        )

    def _exact_active_set(self, indices: Sequence[int]) -> ConeFit:
        """Lawson and Hanson's active-set method in rationals; the objective falls strictly, so it ends."""
        support: list[int] = []
        z: list[Fraction] = []
        while True:
            exact = self._stationary(support)
            assert exact is not None, "columns enter with a positive slope, hence independent of the support"
            goal, scale = exact
            if all(v > 0 for v in goal):
                z = [Fraction(v, scale) for v in goal]
                nu = self._residual(support, goal, scale)
                slope, entering = max(((_dot(nu, self.columns[k]), -k) for k in indices), default=(0, 0))
                if slope <= 0:
                    return self._fit(support, goal, scale, nu)
                support, z = [*support, -entering], [*z, Fraction(0)]
                continue
            aim = [Fraction(v, scale) for v in goal]
            step = min(a / (a - b) for a, b in zip(z, aim, strict=True) if b <= 0)
            z = [a + step * (b - a) for a, b in zip(z, aim, strict=True)]
            keep = [i for i, v in enumerate(z) if v > 0]
            support, z = [support[i] for i in keep], [z[i] for i in keep]


def _dot(a: Sequence[int], b: Sequence[int]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))
