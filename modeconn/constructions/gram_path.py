"""Paths whose prediction and Gram matrices are piecewise linear: base neurons, and knots of non-negative weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from modeconn.cells import fraction_text
from modeconn.errors import InputError
from modeconn.io import read_arrays, write_npz
from modeconn.nets import Net

__all__ = ["GramPath", "load_gram_path"]

Reals = NDArray[np.float64]
FORMAT = "modeconn.certificate/1"


@dataclass(frozen=True)
class GramPath:
    """A path of nets: at a knot, slot j holds the neuron sqrt(t_j) z_b, b its base.

    Between knots t is linear in tau and the base of a slot constant, so f(X), W W^T and A A^T are linear in tau: the
    loss is convex on a piece, and its knots bound it. A slot changes its base only where t = 0.

    Attributes:
        W: hidden weights of the base neurons (d, B): the neurons of the first net, of the second, then others. A bias
            is the last row.
        A: their output weights (c, B).
        base: (K, m), the base of every slot at the K knots.
        t: (K, m), weights >= 0. First knot: base j in slot j, t = 1; last one: base m + j in slot j, t = 1.
        has_bias: whether the last row of W is a bias.

    Reference: theory, claim W1.
    """

    W: Reals
    A: Reals
    base: NDArray[np.int32]
    t: Reals
    has_bias: bool = False

    def __post_init__(self) -> None:
        m, (before, after), (t, u) = self.width, self._pairs(self.base), self._pairs(self.t)
        if self.base.shape != self.t.shape or not (np.isfinite(self.t) & (self.t >= 0)).all():
            raise InputError("path: expected finite weights t >= 0, one a slot and knot, found others")
        if self.base.min() < 0 or self.base.max() >= self.W.shape[1]:
            raise InputError(f"path: expected bases in 0..{self.W.shape[1] - 1}, found others; name existing neurons")
        ends = np.arange(m), np.arange(m, 2 * m)
        if any((self.base[k] != end).any() or (self.t[k] != 1.0).any() for k, end in zip((0, -1), ends, strict=True)):
            raise InputError("path: expected to start at base j and to end at base m + j, t = 1, in every slot j")
        if ((before != after) & (t > 0) & (u > 0)).any():
            raise InputError("path: a slot changes its base while t > 0; empty the slot first")

    @staticmethod
    def _pairs(x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        return x[:-1], x[1:]

    @property
    def pieces(self) -> int:
        """Return the number of pieces."""
        return len(self.base) - 1

    @property
    def width(self) -> int:
        """Return m."""
        return self.base.shape[1]

    def weights(self, tau: float) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Return bases and weights t of the slots at tau in [0, pieces].

        Raises:
            InputError: tau outside.
        """
        if not 0 <= tau <= self.pieces:
            raise InputError(f"path: expected tau in [0, {self.pieces}], found {tau}")
        k = min(int(tau), max(self.pieces - 1, 0))
        s = tau - k
        if s == 0 or self.pieces == 0:
            return self.base[k], self.t[k]
        base = np.where(self.t[k] > 0, self.base[k], self.base[k + 1])
        start = np.where(self.base[k] == base, self.t[k], 0.0)
        end = np.where(self.base[k + 1] == base, self.t[k + 1], 0.0)
        return base, (1 - s) * start + s * end

    def net(self, tau: float) -> Net:
        """Return the net at tau in [0, pieces], NumPy leaves in float64; knots are the integers."""
        base, t = self.weights(tau)
        return self._net(self.W[:, base] * np.sqrt(t), self.A[:, base] * np.sqrt(t))

    def nets(self, taus: Sequence[float] | Float[np.ndarray, " k"]) -> Net:
        """Return the nets at many taus, stacked along a leading axis."""
        parts = [self.weights(float(tau)) for tau in taus]
        base, root = np.stack([b for b, _ in parts]), np.sqrt(np.stack([t for _, t in parts]))[:, None]
        return self._net(np.moveaxis(self.W[:, base], 0, 1) * root, np.moveaxis(self.A[:, base], 0, 1) * root)

    def _net(self, W: Reals, A: Reals) -> Net:
        leaves = (W[..., :-1, :], A, W[..., -1, :]) if self.has_bias else (W, A)
        return Net(*leaves)

    def live(self) -> Int[np.ndarray, " pieces"]:
        """Return the number of slots in use on each piece."""
        t, u = self._pairs(self.t)
        return ((t > 0) | (u > 0)).sum(1)

    def reversed(self) -> GramPath:
        """Return the path from the second net to the first."""
        m, B = self.width, self.W.shape[1]
        order = np.r_[m : 2 * m, :m, 2 * m : B]
        place = np.argsort(order).astype(np.int32)
        return GramPath(self.W[:, order], self.A[:, order], place[self.base[::-1]], self.t[::-1].copy(), self.has_bias)

    def then(self, other: GramPath) -> GramPath:
        """Return this path followed by another one that starts where it ends.

        Raises:
            InputError: it does not.
        """
        m, own = self.width, self.W.shape[1]
        ends = (self.W[:, m : 2 * m], self.A[:, m : 2 * m]), (other.W[:, :m], other.A[:, :m])
        if other.width != m or self.has_bias != other.has_bias or not all(map(np.array_equal, *ends)):
            raise InputError("path: expected a second path that starts at the end of the first, found another net")
        # first net, last net, the middle net and all other bases
        W = np.concatenate([self.W[:, :m], other.W[:, m : 2 * m], self.W[:, m:], other.W[:, 2 * m :]], 1)
        A = np.concatenate([self.A[:, :m], other.A[:, m : 2 * m], self.A[:, m:], other.A[:, 2 * m :]], 1)
        first = np.r_[:m, 2 * m : m + own]
        second = np.r_[2 * m : 3 * m, m : 2 * m, m + own : W.shape[1]]
        bases = np.concatenate([first[self.base], second[other.base[1:]]]).astype(np.int32)
        return GramPath(W, A, bases, np.concatenate([self.t, other.t[1:]]), self.has_bias)

    def certificate(self, level: Fraction, radius_slack: Fraction) -> dict[str, Any]:
        """Return the certificate, as JSON values, that the path never leaves {loss <= level} nor the region.

        It holds the knots only; the checker takes nets, data and region from the user and decides in exact arithmetic.

        Args:
            level: rational bound of the loss on the whole path.
            radius_slack: s; every leaf stays in its ball of (1 + s) times the radius.
        """
        knots = []
        for k in range(1, len(self.base)):
            moved = np.flatnonzero((self.base[k] != self.base[k - 1]) | (self.t[k] != self.t[k - 1]))
            moves = zip(moved.tolist(), self.base[k][moved].tolist(), self.t[k][moved].tolist(), strict=True)
            knots.append([[j, b, fraction_text(Fraction(t))] for j, b, t in moves])
        evidence: dict[str, Any] = {"knots": knots}
        if self.W.shape[1] > 2 * self.width:
            more = ((self.W[:, k], self.A[:, k]) for k in range(2 * self.width, self.W.shape[1]))
            evidence["neurons"] = [[[fraction_text(Fraction(v)) for v in x.tolist()] for x in z] for z in more]
        statement = {"level": fraction_text(level), "radius_slack": fraction_text(radius_slack)}
        return {"format": FORMAT, "kind": "gram-path", "statement": statement, "evidence": evidence}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the path to an ``.npz``: arrays W, A (base neurons), base, t (knots), has_bias."""
        write_npz(
            path, {"W": self.W, "A": self.A, "base": self.base, "t": self.t, "has_bias": np.array(int(self.has_bias))}
        )


def load_gram_path(path: str | os.PathLike[str]) -> GramPath:
    """Return the path in an ``.npz`` that :meth:`GramPath.save` wrote.

    Raises:
        InputError: a file that is none.
    """
    arrays = read_arrays(path)
    if set(arrays) != {"W", "A", "base", "t", "has_bias"}:
        raise InputError(f"{path}: expected a saved path (W, A, base, t, has_bias), found {sorted(arrays)}")
    shapes = {name: array.ndim for name, array in arrays.items()}
    if shapes != {"W": 2, "A": 2, "base": 2, "t": 2, "has_bias": 0} or arrays["base"].dtype.kind != "i":
        raise InputError(f"{path}: the arrays of the path have other shapes or types; save it again")
    W, A, t = (arrays[name].astype(np.float64) for name in ("W", "A", "t"))
    if A.shape[1] != W.shape[1] or not (np.isfinite(W).all() and np.isfinite(A).all()):
        raise InputError(f"{path}: the base neurons do not fit together or are not finite; save it again")
    return GramPath(W, A, arrays["base"].astype(np.int32), t, bool(arrays["has_bias"]))
