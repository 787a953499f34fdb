"""Neurons of one activation pattern and output sign: a class. Merging a class, and spreading it over few of its slots.

In cell coordinates a class contributes s D X U with U = sum of its u_j, whatever the split. With b = sum of its
beta_j, p equal parts (U / p, b / p) cost U U^T / b in the hidden Gram matrix and b in |alpha|^2, and no split of the
same sums costs less: u u^T / beta is convex and homogeneous of degree 1. So (U, b) and the number p of slots say it
all; entrywise balls ask for

    |W|_inf <= r:  |U|_inf^2 <= r^2 b p,        |alpha|_inf <= r:  b <= r^2 p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from modeconn.constructions.cell_exact import exact_signs, same_sides
from modeconn.constructions.cell_state import CellState, live_slots
from modeconn.constructions.wide_region import WideRegion

__all__ = ["Classes", "box_radii", "classes_of", "parts_needed", "spread"]

SAFE = 2.0**-46
"""Boxes are filled up to this fraction only, so that rounding does not leave them."""


SHARES = tuple(2.0**-k for k in range(50, 38, -2))


@dataclass(frozen=True)
class Classes:
    """The classes of a net's neurons.

    Attributes:
        label: class of each slot (m,), -1 for neurons that are dead or active nowhere.
        active: where a class is active, decided exactly (K, n).
        sign: output sign of each class (K,).
    """

    label: Int[np.ndarray, " m"]
    active: Bool[np.ndarray, "K n"]
    sign: Float[np.ndarray, " K"]

    @property
    def count(self) -> int:
        """Return K."""
        return len(self.sign)

    @property
    def sizes(self) -> Int[np.ndarray, " K"]:
        """Return the number of slots of each class."""
        return np.bincount(self.label[self.label >= 0], minlength=self.count)

    def sums(self, values: Float[np.ndarray, m * q]) -> Float[np.ndarray, K * q]:
        """Return the sum of the values over the slots of each class."""
        total = np.zeros((self.count, *values.shape[1:]))
        inside = self.label >= 0
        np.add.at(total, self.label[inside], values[inside])
        return total

    def keys(self) -> list[bytes]:
        """Return a name for each class that is the same in all nets over the same data."""
        return [
            np.packbits(row).tobytes() + (b"+" if s > 0 else b"-")
            for row, s in zip(self.active, self.sign, strict=True)
        ]


def classes_of(W: Float[np.ndarray, "d m"], state: CellState, X: Float[np.ndarray, "n d"]) -> Classes:
    """Return the classes of a net, at most one for each full-dimensional pattern and sign. Cost n m d + m log m.

    A neuron that lies exactly on hyperplanes belongs to several closed cells; it is taken to the one on the side of a
    fixed generic direction, the same for all nets.
    """
    signs = exact_signs(X, W.T)
    generic = X @ np.random.default_rng(0).normal(size=X.shape[1]) > 0
    active = np.where(signs == 0, generic, signs > 0)
    counted = (signs > 0).any(axis=1) & live_slots(state)
    key = np.concatenate([active, (state.sign > 0)[:, None]], axis=1)[counted]
    kinds, inverse = np.unique(key, axis=0, return_inverse=True)
    label = np.full(len(counted), -1)
    label[counted] = inverse.reshape(-1)
    return Classes(label, kinds[:, :-1].astype(bool), np.where(kinds[:, -1], 1.0, -1.0))


def box_radii(region: WideRegion) -> tuple[float, float]:
    """Return the radii of the entrywise balls over W and alpha, infinite where there is none."""
    radii = [min((float(b.radius) for b in region.over(leaf) if not b.is_gram), default=math.inf) for leaf in "WA"]  # type: ignore[arg-type]
    return radii[0], radii[1]


def parts_needed(U: Float[np.ndarray, "K d"], b: Float[np.ndarray, " K"], region: WideRegion) -> Int[np.ndarray, " K"]:
    """Return the least number of slots for each class (U, b) under the entrywise balls of the region, 0 where U = 0."""
    hidden, output = box_radii(region)
    top = np.abs(U).max(axis=1, initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.maximum((top / hidden) ** 2 / b, b / output**2)
    used = top > 0
    return np.where(used, np.maximum(np.ceil(np.where(used, parts, 0.0) * (1.0 - SAFE / 2)), 1.0), 0.0).astype(int)


def spread(
    classes: Classes,
    U: Float[np.ndarray, "K d"],
    b: Float[np.ndarray, " K"],
    parts: Int[np.ndarray, " K"],
    start: CellState,
    X: Float[np.ndarray, "n d"],
) -> CellState | None:
    """Return the state that holds each class in equal parts in its first slots; ``None`` if a class has too few.

    Where rounding leaves a neuron across a hyperplane from the neuron of ``start`` in its slot, which is strictly
    beside it, a share 2^-50 or more of that one is blended in.
    """
    if (parts > classes.sizes).any():
        return None
    slots, d = start.u.shape
    state = CellState(np.zeros((slots, d)), np.zeros(slots), np.ones(slots))
    order = np.argsort(classes.label, kind="stable")
    starts = np.searchsorted(classes.label[order], np.arange(classes.count))
    for k in np.flatnonzero(parts):
        chosen = order[starts[k] : starts[k] + parts[k]]
        state.u[chosen], state.beta[chosen], state.sign[chosen] = U[k] / parts[k], b[k] / parts[k], classes.sign[k]
    live = np.flatnonzero(state.beta > 0)
    sides, target = exact_signs(X, start.u[live]), state.u[live]
    for share in SHARES:
        off = ~same_sides(sides, exact_signs(X, state.u[live]))
        if not off.any():
            break
        inner = start.u[live[off]]
        size = np.abs(target[off]).max(axis=1, keepdims=True) / np.abs(inner).max(axis=1, keepdims=True)
        state.u[live[off]] = (1.0 - share) * target[off] + share * size * inner
    return state
