"""The door to the conic solver (clarabel): min x' P x / 2 + q' x with A x + s = b, s in a product of cones.

Answers are float proposals. Whoever believes one recomputes it: see :mod:`modeconn.topology.bounds`.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

__all__ = ["ConicProgram", "symmetric_matrix", "unit_row"]


class ConicProgram:
    """Rows of A x + s = b, s in a product of cones, in the order the solver wants them.

    Example:
        >>> program = ConicProgram(1)
        >>> program.add("nonneg", -unit_row(1, 0), -2.0)  # x >= 2
        >>> x, duals = program.solve(np.zeros((1, 1)), np.ones(1))
        >>> round(float(x[0]), 6), round(float(duals["nonneg"][0][0]), 6)
        (2.0, 1.0)

    Args:
        variables: length of x.
    """

    def __init__(self, variables: int) -> None:
        self.variables = variables
        self.blocks: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"zero": [], "nonneg": [], "soc": [], "psd": []}

    def add(self, cone: str, A: np.ndarray, b: np.ndarray | float = 0.0) -> None:
        """Add rows: zero (A x = b), nonneg (A x <= b), soc and psd (b - A x in the cone).

        A psd block is the upper triangle, column by column, off-diagonal entries times sqrt 2.
        """
        A = np.atleast_2d(A)
        self.blocks[cone].append((A, np.broadcast_to(np.asarray(b, float), (len(A),))))

    def solve(
        self, P: Float[np.ndarray, "v v"], q: Float[np.ndarray, " v"], tolerance: float = 1e-10
    ) -> tuple[np.ndarray, dict[str, list[np.ndarray]]] | None:
        """Return x and the multipliers block by block; ``None`` unless the solver is content with finite numbers."""
        import clarabel
        from scipy import sparse

        make = {
            "zero": clarabel.ZeroConeT,
            "nonneg": clarabel.NonnegativeConeT,
            "soc": clarabel.SecondOrderConeT,
            "psd": lambda size: clarabel.PSDTriangleConeT((math.isqrt(8 * size + 1) - 1) // 2),
        }
        blocks = {name: [(A, b) for A, b in rows if len(A)] for name, rows in self.blocks.items()}
        rows = [block for name in blocks for block in blocks[name]]
        cones = [make[name](len(A)) for name in blocks for A, _ in blocks[name]]
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        A = sparse.csc_matrix(np.concatenate([A for A, _ in rows]))
        b = np.concatenate([b for _, b in rows])
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
        answer = clarabel.DefaultSolver(sparse.csc_matrix(np.triu(P)), q, A, b, cones, settings).solve()
        x, z = np.array(answer.x), np.array(answer.z)
        if str(answer.status) not in ("Solved", "AlmostSolved") or not (np.isfinite(x).all() and np.isfinite(z).all()):
            return None
        at = 0
        duals: dict[str, list[np.ndarray]] = {}
        for name, sized in self.blocks.items():  # an empty block has an empty multiplier
            duals[name] = []
            for block, _ in sized:
                duals[name].append(z[at : at + len(block)])
                at += len(block)
        return x, duals


def unit_row(size: int, k: int) -> Float[np.ndarray, " size"]:
    """Return the k-th unit vector."""
    row = np.zeros(size)
    row[k] = 1.0
    return row


def symmetric_matrix(triangle: np.ndarray, size: int) -> Float[np.ndarray, "size size"]:
    """Return the leading ``size`` x ``size`` block of the matrix behind a psd block."""
    matrix = np.zeros((size, size))
    entries = iter(triangle)
    for column in range(size):
        for row in range(column + 1):
            v = next(entries)
            matrix[row, column] = matrix[column, row] = v if row == column else v / math.sqrt(2)
    return matrix
