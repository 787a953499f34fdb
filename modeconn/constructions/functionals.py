"""The quadratic functionals that a region sees: psi(z) = (relu(X w) a^T, w w^T, a a^T), or traces where they suffice.

Scaling a neuron z = (w, a) by sqrt(t) multiplies psi by t. A state with weights t over base neurons has
Psi = sum_j t_j psi(z_j), whose first block is the prediction; loss and region are convex in Psi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from modeconn.constructions.wide_region import WideRegion

__all__ = ["Functionals", "functionals_of"]

Reals = NDArray[np.float64]
Rule = Literal["gram", "trace", "joint"]


def _products(Z: Reals) -> Reals:
    """Return the upper triangles of z z^T, columns of Z in, columns out; off the diagonal times sqrt(2)."""
    i, j = np.triu_indices(len(Z))
    return Z[i] * Z[j] * np.where(i == j, 1.0, np.sqrt(2.0))[:, None]


@dataclass(frozen=True)
class Functionals:
    """Which functionals a region needs.

    Attributes:
        hidden: of w: ``"gram"`` (w w^T), ``"trace"`` (|w|^2), or ``"joint"`` (|w|^2 + |a|^2, with ``output`` the same).
        output: of a.
    """

    hidden: Rule
    output: Rule

    def count(self, n: int, d: int, c: int) -> int:
        """Return N, the number of functionals: n c + d (d + 1) / 2 + c (c + 1) / 2 if both are ``"gram"``.

        Example:
            >>> Functionals("gram", "gram").count(200, 16, 10), Functionals("joint", "joint").count(64, 8, 1)
            (2191, 65)
        """
        if self.hidden == "joint":
            return n * c + 1
        hidden = d * (d + 1) // 2 if self.hidden == "gram" else 1
        return n * c + hidden + (c * (c + 1) // 2 if self.output == "gram" else 1)

    def features(
        self, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "c m"], X: Float[np.ndarray, "n d"]
    ) -> Float[np.ndarray, "N m"]:
        """Return psi of every neuron, a column each. The Euclidean norm of a block is its Frobenius norm."""
        H = np.maximum(X @ W, 0.0)
        prediction = (H[:, None] * A[None]).reshape(-1, W.shape[1])
        hidden = _products(W) if self.hidden == "gram" else np.sum(W * W, 0, keepdims=True)
        output = _products(A) if self.output == "gram" else np.sum(A * A, 0, keepdims=True)
        if self.hidden == "joint":
            return np.concatenate([prediction, hidden + output])
        return np.concatenate([prediction, hidden, output])

    def shrinking(self, n: int, d: int, c: int) -> Float[np.ndarray, " N"]:
        """Return the direction (0, I, 0): to go against it lowers W W^T and stays in every region covered here."""
        direction = np.zeros(self.count(n, d, c))
        i, j = np.triu_indices(d)
        hidden = (i == j).astype(float) if self.hidden == "gram" else np.ones(1)
        direction[n * c : n * c + len(hidden)] = hidden
        return direction


def functionals_of(region: WideRegion) -> Functionals:
    """Return the fewest functionals that decide membership in a region of kind ``"gram"``.

    Frobenius balls need traces only, a joint one a single trace.

    Reference: theory, section 2a (W1).
    """
    if {ball.leaf for ball in region.balls} == {"joint"}:
        return Functionals("joint", "joint")

    def rule(frobenius: bool) -> Rule:
        return "trace" if frobenius else "gram"

    return Functionals(
        rule(all(ball.norm == "frobenius" for ball in region.over("W"))),
        rule(all(ball.norm == "frobenius" for ball in region.over("A"))),
    )
