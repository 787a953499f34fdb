"""Paths that are straight in cell coordinates (u, beta) between knots, and their certificates (kind "cell-path")."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from modeconn.cells import fraction_text
from modeconn.constructions.cell_exact import exact_signs, same_sides
from modeconn.constructions.cell_state import CellState, between, live_slots, state_of_weights, weights_of_state
from modeconn.errors import InputError
from modeconn.io import read_arrays, write_npz
from modeconn.nets import Net

__all__ = ["Anchor", "CellPath", "cell_path", "load_cell_path"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Anchor:
    """A knot that is a given net: its weights are these floats, its u = |alpha| w is meant without rounding.

    Attributes:
        knot: index of the knot.
        W: (d, m), a bias folded in as last row.
        A: (1, m).
    """

    knot: int
    W: Reals
    A: Reals

    def exact_slot(self, j: int) -> tuple[list[Fraction], Fraction]:
        """Return (u_j, beta_j) in rationals."""
        alpha = abs(Fraction(float(self.A[0, j])))
        return [alpha * Fraction(float(w)) for w in self.W[:, j]], alpha**2

    def silent(self) -> Reals:
        """Return W with only the columns that alpha_j = 0 hides from the prediction."""
        return np.where(state_of_weights(self.W, self.A).beta > 0.0, 0.0, self.W)


@dataclass(frozen=True)
class CellPath:
    """A path of one-output nets, straight in (u, beta) between knots.

    On a piece where no preactivation changes its open side, and a slot changes sign only through beta = 0, the
    prediction is linear and the region's balls are convex: loss and region hold on the path if they hold at its knots.
    Hidden weights of neurons with alpha_j = 0, invisible in (u, beta), shrink to zero on the piece beside their net.

    Attributes:
        states: (u, beta, sign) at the knots, leading axis k + 1.
        anchors: knots that are given nets, the first and the last among them, in order.
        has_bias: whether the last row of W is a bias, which :meth:`net` takes out.

    Reference: theory, claims W3 and W4.
    """

    states: CellState
    anchors: tuple[Anchor, ...]
    has_bias: bool = False

    def __post_init__(self) -> None:
        k = self.states.u.shape[0]
        if k < 2 or not self.anchors or self.anchors[0].knot != 0 or self.anchors[-1].knot != k - 1:
            raise InputError(f"cell path: expected >= 2 knots that start and end at a net, found {k} knots")
        live = live_slots(self.states)
        for anchor in self.anchors:
            hidden = anchor.silent().any(axis=0)
            near = live[max(anchor.knot - 1, 0) : anchor.knot + 2].any(axis=0)
            if (hidden & near).any():
                slot = int(np.flatnonzero(hidden & near)[0])
                raise InputError(
                    f"cell path: slot {slot} comes alive beside knot {anchor.knot}, where alpha = 0 hides a weight; "
                    "leave it dead on that piece"
                )

    @property
    def pieces(self) -> int:
        """Return the number of pieces."""
        return self.states.u.shape[0] - 1

    @property
    def width(self) -> int:
        """Return m."""
        return self.states.u.shape[1]

    def state(self, knot: int) -> CellState:
        """Return the state at a knot."""
        return CellState(*(leaf[knot] for leaf in self.states))

    def net(self, tau: float) -> Net:
        """Return the net at tau in [0, pieces]; knots are the integers, and given nets come back as they are.

        Raises:
            InputError: tau outside.
        """
        batch = self.nets([tau])
        return Net(*(None if leaf is None else leaf[0] for leaf in batch))  # type: ignore[arg-type]

    def nets(self, taus: Sequence[float] | Float[np.ndarray, " k"]) -> Net:
        """Return the nets at many taus, leaves (k, d, m), (k, 1, m) and, with a bias, (k, m)."""
        at = np.asarray(taus, np.float64).reshape(-1)
        if not ((at >= 0) & (at <= self.pieces)).all():
            raise InputError(f"cell path: expected tau in [0, {self.pieces}], found {at.tolist()}")
        piece = np.minimum(np.floor(at).astype(int), self.pieces - 1)
        s = at - piece
        first, last = (CellState(*(leaf[piece + step] for leaf in self.states)) for step in (0, 1))
        W, A = weights_of_state(between(first, last, s))
        for anchor in self.anchors:
            fade = np.maximum(1.0 - np.abs(at - anchor.knot), 0.0)
            W = W + fade[:, None, None] * anchor.silent()
            exactly = at == anchor.knot
            W[exactly], A[exactly] = anchor.W, anchor.A
        return Net(W[:, :-1], A, W[:, -1]) if self.has_bias else Net(W, A)  # type: ignore[arg-type]

    def crossings(self, X: Float[np.ndarray, "n d"]) -> list[tuple[int, int]]:
        """Return (piece, slot) wherever a preactivation or a sign would change sides, decided exactly.

        Cost k n m d. Empty for every path that a construction returns.
        """
        live = live_slots(self.states)
        given = {anchor.knot: anchor for anchor in self.anchors}
        found: list[tuple[int, int]] = []
        before: NDArray[np.int8] | None = None
        for k in range(self.pieces + 1):
            # |alpha| w and w are on the same sides, and w has no rounding in it
            V = given[k].W.T * live[k][:, None] if k in given else self.states.u[k]
            signs = exact_signs(X, V)
            if before is not None:
                both = live[k - 1] & live[k]
                flips = both & (self.states.sign[k - 1] != self.states.sign[k])
                found += [(k - 1, int(j)) for j in np.flatnonzero(flips | ~same_sides(before, signs))]
            before = signs
        return found

    def certificate(self, level: Fraction, radius_slack: Fraction) -> dict[str, Any]:
        """Return the certificate that the loss stays <= level and every leaf in (1 + radius_slack) times its ball.

        JSON values, rationals as text. A knot lists the slots that differ from the knot before; the first knot is the
        start, which the checker knows. It reads weights, data and region from the user's problem.
        """
        given = {anchor.knot: anchor for anchor in self.anchors}
        evidence: list[list[list[Any]]] = []
        u, beta, sign = self.states
        for k in range(1, self.pieces + 1):
            changed = (u[k] != u[k - 1]).any(axis=1) | (beta[k] != beta[k - 1]) | (sign[k] != sign[k - 1])
            for knot in {k - 1, k} & given.keys():  # a float u and the exact |alpha| w of one neuron differ
                changed |= (beta[k] > 0) | (beta[k - 1] > 0) | (given[knot].A[0] != 0)
            moves: list[list[Any]] = []
            for j in np.flatnonzero(changed).tolist():
                vector, size = (
                    given[k].exact_slot(j)
                    if k in given
                    else ([Fraction(float(v)) for v in u[k, j]], Fraction(float(beta[k, j])))
                )
                moves.append([j, [fraction_text(v) for v in vector], fraction_text(size), int(sign[k, j])])
            evidence.append(moves)
        return {
            "format": "modeconn.certificate/1",
            "kind": "cell-path",
            "statement": {
                "level": fraction_text(Fraction(level)),
                "radius_slack": fraction_text(Fraction(radius_slack)),
            },
            "evidence": {"knots": evidence},
        }

    def reversed(self) -> CellPath:
        """Return the path from its end to its start."""
        turned = tuple(Anchor(self.pieces - a.knot, a.W, a.A) for a in reversed(self.anchors))
        return CellPath(CellState(*(leaf[::-1].copy() for leaf in self.states)), turned, self.has_bias)

    def then(self, other: CellPath) -> CellPath:
        """Return this path followed by another one, which must start at the net where this one ends.

        Raises:
            InputError: it starts elsewhere.
        """
        end, start = self.anchors[-1], other.anchors[0]
        same = np.array_equal(end.W, start.W) and np.array_equal(end.A, start.A) and self.has_bias == other.has_bias
        if not same:
            raise InputError("cell path: expected a path that starts at the net where this one ends; reverse it?")
        states = CellState(*(np.concatenate([p, q[1:]]) for p, q in zip(self.states, other.states, strict=True)))
        moved = tuple(Anchor(a.knot + self.pieces, a.W, a.A) for a in other.anchors[1:])
        return CellPath(states, self.anchors + moved, self.has_bias)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the knots to an ``.npz``: kind, u, beta, sign, the given nets and their knots."""
        arrays = {
            "kind": np.array("cell-path"),
            **self.states._asdict(),
            "anchor_knots": np.array([a.knot for a in self.anchors]),
            "anchor_W": np.stack([a.W for a in self.anchors]),
            "anchor_A": np.stack([a.A for a in self.anchors]),
            "has_bias": np.array(int(self.has_bias)),
        }
        write_npz(path, arrays)


def cell_path(
    start: tuple[Reals, Reals], inner: Sequence[CellState], end: tuple[Reals, Reals], has_bias: bool = False
) -> CellPath:
    """Return the path from the net ``start`` = (W, A) through the ``inner`` knots to the net ``end``.

    Example:
        >>> net = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]])
        >>> dead = CellState(np.zeros((2, 1)), np.zeros(2), np.ones(2))
        >>> path = cell_path(net, [dead], net)
        >>> path.pieces, path.net(0.0).W.tolist(), path.net(0.5).W.round(3).tolist(), path.net(1.0).W.tolist()
        (2, [[1.0, 2.0]], [[0.707, 1.0]], [[0.0, 0.0]])
    """
    knots = [state_of_weights(*start), *inner, state_of_weights(*end)]
    states = CellState(*(np.stack(leaves) for leaves in zip(*knots, strict=True)))
    return CellPath(states, (Anchor(0, *start), Anchor(len(knots) - 1, *end)), has_bias)


def load_cell_path(path: str | os.PathLike[str]) -> CellPath:
    """Return the path that :meth:`CellPath.save` wrote.

    Raises:
        InputError: another file, or one that was damaged.
    """
    arrays = read_arrays(path)
    expected = {"kind", "u", "beta", "sign", "anchor_knots", "anchor_W", "anchor_A", "has_bias"}
    if set(arrays) != expected or str(arrays["kind"]) != "cell-path":
        raise InputError(f"{path}: expected the knots of a cell path ({', '.join(sorted(expected))}); save it again")
    states = CellState(*(np.asarray(arrays[key], np.float64) for key in CellState._fields))
    k, m, d = states.u.shape if states.u.ndim == 3 else (0, 0, 0)
    knots, W, A = arrays["anchor_knots"], arrays["anchor_W"], arrays["anchor_A"]
    fits = states.beta.shape == states.sign.shape == (k, m) and W.shape[1:] == (d, m) and A.shape[1:] == (1, m)
    numbers = all(np.isfinite(leaf).all() for leaf in (*states, W, A))
    if not fits or len(knots) != len(W) or len(W) != len(A) or not numbers:
        raise InputError(f"{path}: the knots of the cell path do not fit each other; save it again")
    anchors = tuple(Anchor(int(i), w, a) for i, w, a in zip(knots, W, A, strict=True))
    return CellPath(states, anchors, bool(arrays["has_bias"]))
