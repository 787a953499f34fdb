"""Nets and data as they come in, checked and in NumPy float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modeconn.errors import InputError
from modeconn.nets import Net, check_net

__all__ = ["Reals", "Weights", "as_real", "as_targets", "checked_ends", "checked_stacks"]

Reals = NDArray[np.float64]


class Weights(NamedTuple):
    """A net, or a stack of nets with a leading axis, in float64; leaves a net lacks are at their fixed values.

    Attributes:
        W: hidden weights (..., d, m).
        A: output weights (..., c, m), ones where they are fixed.
        b: hidden biases (..., m), zeros without bias.
    """

    W: Reals
    A: Reals
    b: Reals

    def at(self, index: int) -> Weights:
        """Return one net of a stack."""
        return Weights(self.W[index], self.A[index], self.b[index])


def checked_ends(net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike) -> tuple[Weights, Weights, Reals, Reals]:
    """Return both nets, X (n, d) and Y (n, c) in float64; raise :class:`InputError` unless they fit together."""
    leaves0, leaves1 = _leaves(net0, "first net"), _leaves(net1, "second net")
    for leaves, name in ((leaves0, "first net"), (leaves1, "second net")):
        check_net(Net(**leaves), name)  # type: ignore[arg-type]
    _check_alike(leaves0, leaves1)
    start, end = _filled(leaves0), _filled(leaves1)
    data = as_real(X, "X")
    if data.ndim != 2 or data.shape[0] == 0 or data.shape[1] != start.W.shape[0]:
        raise InputError(
            f"expected X of shape (n, {start.W.shape[0]}) with n >= 1, found {data.shape}; one row a data point, "
            "one column an input of the nets"
        )
    return start, end, data, as_targets(Y, len(data), len(start.A))


def checked_stacks(nets0: Net, nets1: Net, X: ArrayLike, Y: ArrayLike) -> tuple[Weights, Weights, Reals, Reals]:
    """Return both stacks of B nets, X and Y in float64; raise :class:`InputError` unless they fit together."""
    leaves0, leaves1 = _leaves(nets0, "first nets"), _leaves(nets1, "second nets")
    for leaves, name in ((leaves0, "first nets"), (leaves1, "second nets")):
        shapes = {key: leaf.shape for key, leaf in leaves.items() if leaf is not None}
        ranks = {"W": 3, "A": 3, "b": 2}
        batch = shapes["W"][0] if len(shapes["W"]) else 0
        if batch == 0 or any(len(s) != ranks[key] or s[0] != batch for key, s in shapes.items()):
            raise InputError(f"{name}: expected leaves with one leading axis (B, ...), B >= 1, found shapes {shapes}")
    if len(leaves0["W"]) != len(leaves1["W"]):  # type: ignore[arg-type]
        raise InputError("expected as many first as second nets, a pair each, found different leading axes")
    _check_alike(leaves0, leaves1)
    one = Net(**{key: None if leaf is None else leaf[0] for key, leaf in leaves0.items()})  # type: ignore[arg-type]
    _, _, data, targets = checked_ends(one, one, X, Y)
    return _filled(leaves0), _filled(leaves1), data, targets


def as_targets(Y: ArrayLike, n: int, c: int) -> Reals:
    """Return the targets as (n, c); a vector (n,) is taken for c = 1."""
    targets = as_real(Y, "Y")
    if targets.shape == (n,) and c == 1:
        return targets[:, None]
    if targets.shape != (n, c):
        raise InputError(
            f"expected Y of shape ({n}, {c}), found {targets.shape}; one row a data point, one column an output"
        )
    return targets


def as_real(value: ArrayLike, name: str) -> Reals:
    """Return the value as a finite float64 array; raise :class:`InputError` otherwise."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "cOUSMm":  # complex, objects such as fractions, text, dates: no silent conversion
            raise TypeError(f"entries of type {array.dtype}")
        array = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: expected an array of real numbers, found {type(value).__name__} ({error}); convert it first"
        ) from error
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise InputError(f"{name} holds {bad} NaN or infinite entries; expected finite numbers, clean the data first")
    return array


def _leaves(net: Net, name: str) -> dict[str, Reals | None]:
    leaves: dict[str, Any] = net._asdict()
    return {key: None if leaf is None else as_real(leaf, f"{name}: {key}") for key, leaf in leaves.items()}


def _check_alike(leaves0: dict[str, Reals | None], leaves1: dict[str, Reals | None]) -> None:
    """Raise :class:`InputError` unless both nets have the same leaves, of the same shapes."""
    for key, a in leaves0.items():
        b = leaves1[key]
        if a is None or b is None:
            if a is not b:
                raise InputError(f"only one of the nets has {key}: expected both or neither; give the other one too")
        elif key == "W" and a.shape[-1:] != b.shape[-1:]:
            raise InputError(
                f"the nets have widths {a.shape[-1]} and {b.shape[-1]}: expected equal widths; "
                "add dead neurons to the narrower one"
            )
        elif a.shape != b.shape:
            raise InputError(f"the nets have {key} of shapes {a.shape} and {b.shape}: expected equal shapes")


def _filled(leaves: dict[str, Reals | None]) -> Weights:
    W, A, b = leaves["W"], leaves["A"], leaves["b"]
    assert W is not None
    *stack, _, m = W.shape
    return Weights(W, np.ones((*stack, 1, m)) if A is None else A, np.zeros((*stack, m)) if b is None else b)
