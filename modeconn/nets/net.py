"""A two-layer ReLU net as a plain pytree, and what it computes."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.errors import InputError

__all__ = [
    "AnyArray",
    "Net",
    "check_net",
    "fold_bias",
    "namespace",
    "output_weights",
    "preactivations",
    "predict",
    "width",
    "with_bias_column",
]

AnyArray = Array | np.ndarray


class Net(NamedTuple):
    """f(x) = sum_j relu(w_j . x + b_j) a_j, with weights as in section 0 of the theory.

    Attributes:
        W: hidden weights (d, m), one neuron a column.
        A: output weights (c, m); ``None`` fixes them all at +1 with one output (teacher-student nets).
        b: hidden biases (m,), or ``None`` for a net without bias.

    ``None`` is not a leaf, so an optimizer sees exactly the trainable weights. Leaves are JAX or NumPy arrays;
    NumPy leaves are computed with in NumPy, at their own precision, wherever no JAX array meets them.
    """

    W: Array
    A: Array | None = None
    b: Array | None = None


def namespace(x: AnyArray) -> Any:
    """Return ``numpy`` for a NumPy array and ``jax.numpy`` for a JAX one, so that float64 input stays float64."""
    return np if isinstance(x, np.ndarray) else jnp


def width(net: Net) -> int:
    """Return the number m of hidden neurons."""
    return net.W.shape[-1]


def output_weights(net: Net) -> Float[AnyArray, "c m"]:
    """Return the output weights (c, m), ones where they are fixed."""
    return namespace(net.W).ones((1, width(net)), net.W.dtype) if net.A is None else net.A


def preactivations(net: Net, X: Float[AnyArray, "n d"]) -> Float[AnyArray, "n m"]:
    """Return x_i . w_j + b_j, shape (n, m)."""
    P = X @ net.W
    return P if net.b is None else P + net.b


def predict(net: Net, X: Float[AnyArray, "n d"]) -> Float[AnyArray, "n c"]:
    """Return f(X) = relu(X W + b) A^T, shape (n, c). Cost n m (d + c) multiplications.

    The derivative of relu at 0 is taken to be 0.

    Example:
        >>> import jax.numpy as jnp
        >>> net = Net(W=jnp.array([[1.0, -1.0]]), A=jnp.array([[1.0, 1.0]]))
        >>> predict(net, jnp.array([[2.0], [-3.0]])).ravel().tolist()   # |x|
        [2.0, 3.0]
    """
    P = preactivations(net, X)
    H = np.maximum(P, 0) if isinstance(P, np.ndarray) else jax.nn.relu(P)
    return H.sum(1, keepdims=True) if net.A is None else H @ net.A.T


def with_bias_column(X: Float[AnyArray, "n d"]) -> Float[AnyArray, "n d+1"]:
    """Return X with a last column of ones: a bias is a constant column of X."""
    xp = namespace(X)
    return xp.concatenate([X, xp.ones((X.shape[0], 1), X.dtype)], axis=1)


def fold_bias(net: Net, X: Float[AnyArray, "n d"]) -> tuple[Net, AnyArray]:
    """Return the bias-free net and data that compute the same predictions: b becomes the last row of W."""
    if net.b is None:
        return net, X
    return Net(namespace(net.W).concatenate([net.W, net.b[None]], axis=0), net.A), with_bias_column(X)


def check_net(net: Net, name: str = "net") -> None:
    """Raise :class:`InputError` unless shapes agree, the width is positive and every weight is a finite float."""
    W = np.asarray(net.W)
    if W.ndim != 2 or W.shape[0] == 0 or W.shape[1] == 0:
        raise InputError(f"{name}: expected W of shape (d, m), d, m >= 1, found {W.shape}; give at least one neuron")
    m = W.shape[1]
    if net.A is not None and (np.ndim(net.A) != 2 or np.shape(net.A)[1] != m or np.shape(net.A)[0] == 0):
        raise InputError(
            f"{name}: expected output weights (c, {m}), found shape {np.shape(net.A)}; one column a neuron"
        )
    if net.b is not None and np.shape(net.b) != (m,):
        raise InputError(f"{name}: expected biases of shape ({m},), found {np.shape(net.b)}; one entry a neuron")
    for key, leaf in zip(Net._fields, net, strict=True):
        if leaf is None:
            continue
        values = np.asarray(leaf)
        if not jnp.issubdtype(values.dtype, jnp.floating):
            raise InputError(f"{name}: {key} holds {values.dtype}, expected real floats; convert it to float64")
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise InputError(f"{name}: {key} holds {bad} NaN or infinite entries; expected finite weights")
