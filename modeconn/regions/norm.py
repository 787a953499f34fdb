"""Norms of a weight matrix: value, dual, subgradient, and the ball: projection, distance, linear minimiser."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from modeconn.errors import InputError, unknown_name
from modeconn.regions.gauge import dual_exponent, gauge_gradient, gauge_projection, gauge_value, rescaled
from modeconn.regions.singular import partial_isometry, product, thin_svd

__all__ = ["NORMS", "Norm", "as_matrix", "norm_from_name"]

Leaf = Float[Array | np.ndarray, "..."]
Radius = float | Float[Array | np.ndarray, ""]
Split = tuple[Array, Callable[[Array], Array]]


def as_matrix(x: Leaf) -> Float[Array, "r c"]:
    """Return x as a matrix: a vector is one row, a number is 1 x 1."""
    x = jnp.asarray(x)
    if x.ndim > 2:
        raise InputError(f"expected a leaf with at most 2 axes, found shape {x.shape}; flatten it to a matrix first")
    return jnp.atleast_2d(x)


def _split_entries(x: Array) -> Split:
    """Magnitudes: absolute entries."""
    return jnp.abs(x).ravel(), lambda t: jnp.sign(x) * t.reshape(x.shape)


def _split_groups(axis: int) -> Callable[[Array], Split]:
    """Magnitudes: Euclidean lengths along ``axis`` (0: of the columns, 1: of the rows)."""

    def split(x: Array) -> Split:
        unit, scale = rescaled(x, axis=axis)  # a scale for each group: a tiny column keeps its direction
        length = jnp.sqrt(jnp.sum(unit * unit, axis=axis, keepdims=True))
        direction = unit / jnp.where(length == 0, 1, length)
        return (length * jnp.where(length == 0, 0, scale)).ravel(), lambda t: direction * jnp.expand_dims(t, axis)

    return split


def _split_singular(x: Array) -> Split:
    """Magnitudes: singular values."""
    U, s, Vt = thin_svd(x)
    return s, lambda t: product(U * t, Vt)


_SPLITS: dict[str, Callable[[Array], Split]] = {
    "entry": _split_entries,
    "column": _split_groups(0),
    "row": _split_groups(1),
    "singular": _split_singular,
}
_PREFIX = {"entry": "lp", "column": "column", "row": "row", "singular": "schatten"}


@dataclass(frozen=True)
class Norm:
    """The l_p gauge of the magnitudes of a matrix.

    Attributes:
        magnitude: what the gauge is taken of: ``"entry"`` (absolute entries), ``"column"`` or ``"row"`` (their
            Euclidean lengths), ``"singular"`` (singular values). A vector counts as one row.
        p: exponent in [1, inf].

    Hashable, so it may be a static argument. All methods run under ``jit`` and ``vmap`` in float32 and float64, and are
    homogeneous: entries of 1e-30 or 1e30 in float32 neither underflow nor overflow.

    Example:
        >>> import jax.numpy as jnp
        >>> spectral = norm_from_name("spectral")
        >>> float(spectral.value(jnp.diag(jnp.array([3.0, 1.0])))), spectral.dual.name
        (3.0, 'nuclear')
        >>> spectral.project(jnp.diag(jnp.array([3.0, 1.0])), 2.0).tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """

    magnitude: str
    p: float

    def __post_init__(self) -> None:
        if self.magnitude not in _SPLITS:
            raise unknown_name("magnitude", self.magnitude, _SPLITS)
        if not self.p >= 1.0:
            raise InputError(f"norm: expected an exponent p >= 1, found {self.p}; below 1 it is not a norm")

    @property
    def name(self) -> str:
        """The name :func:`norm_from_name` knows it by."""
        return _SHORT_NAMES.get((self.magnitude, self.p), f"{_PREFIX[self.magnitude]}:{str(self.p).removesuffix('.0')}")

    @property
    def dual(self) -> Norm:
        """The dual norm, sup of <x, y> over the unit ball: the same magnitudes with the dual exponent."""
        return Norm(self.magnitude, dual_exponent(self.p))

    def split(self, x: Leaf) -> Split:
        """Return the magnitudes s of x and the map t -> the matrix with magnitudes t along the directions of x."""
        return _SPLITS[self.magnitude](as_matrix(x))

    def value(self, x: Leaf) -> Float[Array, ""]:
        """Return ||x||."""
        return gauge_value(self.split(x)[0], self.p)

    def subgradient(self, x: Leaf) -> Float[Array, ...]:
        """Return an element of the subdifferential at x: the gradient where there is one, 0 at 0, shape of x.

        It vanishes along the zero magnitudes of x, and shares equally between tied maximal ones (p = inf). Its dual
        norm is 1 unless x = 0.
        """
        if self == NORMS["nuclear"]:
            return partial_isometry(as_matrix(x)).reshape(np.shape(x))
        if self == NORMS["l1"]:
            return jnp.sign(x)  # whatever the unit of x: an entry next to much larger ones keeps its sign
        s, rebuild = self.split(x)
        return rebuild(gauge_gradient(s, self.p)).reshape(np.shape(x))

    def project(self, x: Leaf, radius: Radius) -> Float[Array, ...]:
        """Return the point of {||y|| <= radius} nearest to x in the Euclidean norm: x itself if it is inside."""
        s, rebuild = self.split(x)
        x = jnp.asarray(x)
        t = self.project_magnitudes(s, radius)
        return jnp.where(gauge_value(s, self.p) <= radius, x, rebuild(t).reshape(x.shape))

    def project_magnitudes(self, s: Float[Array, " k"], radius: Radius) -> Float[Array, " k"]:
        """Return the magnitudes of the projection of a matrix with magnitudes s."""
        return gauge_projection(s, jnp.asarray(radius, s.dtype), self.p)

    def distance(self, x: Leaf, radius: Radius) -> Float[Array, ""]:
        """Return the Euclidean distance of x to the ball of ``radius``, 0 inside."""
        s, _ = self.split(x)
        return gauge_value(jnp.abs(s - self.project_magnitudes(s, radius)), 2.0)

    def contains(self, x: Leaf, radius: Radius, atol: float = 0.0) -> Bool[Array, ""]:
        """Return whether ||x|| <= radius + atol."""
        return self.value(x) <= jnp.asarray(radius) + atol

    def minimizer(self, g: Leaf, radius: Radius) -> Float[Array, ...]:
        """Return argmin of <g, x> over ||x|| <= radius (finite): -radius * dual subgradient at g (Frank-Wolfe)."""
        direction = self.dual.subgradient(g)
        return -jnp.asarray(radius, direction.dtype) * direction


_SHORT_NAMES: dict[tuple[str, float], str] = {
    ("entry", math.inf): "linf",
    ("entry", 1.0): "l1",
    ("entry", 2.0): "frobenius",
    ("singular", math.inf): "spectral",
    ("singular", 1.0): "nuclear",
    ("column", math.inf): "max_column",
    ("column", 1.0): "sum_column",
    ("row", math.inf): "max_row",
    ("row", 1.0): "sum_row",
}

NORMS: dict[str, Norm] = {name: Norm(*key) for key, name in _SHORT_NAMES.items()}
"""The named norms; :func:`norm_from_name` adds ``lp:P``, ``schatten:P``, ``column:P`` and ``row:P``, 1 <= P < inf."""


def norm_from_name(name: str) -> Norm:
    """Return the norm called ``name``.

    Args:
        name: a key of :data:`NORMS`, or ``"lp:1.5"``, ``"schatten:3"``, ``"column:4"``, ``"row:4"``. Exponent 2
            is the Frobenius norm for all four.

    Raises:
        InputError: for an unknown name (with the nearest known one) or an exponent below 1.

    Example:
        >>> norm_from_name("lp:1.5").dual.name, norm_from_name("schatten:2").name
        ('lp:3', 'frobenius')
    """
    if name in NORMS:
        return NORMS[name]
    prefix, colon, exponent = name.partition(":")
    magnitudes = {prefix: magnitude for magnitude, prefix in _PREFIX.items()}
    try:
        p = float(exponent)
    except ValueError:
        p = math.nan
    if not colon or prefix not in magnitudes or math.isnan(p):
        raise unknown_name("norm", name, [*NORMS, *(f"{prefix}:P" for prefix in magnitudes)])
    return NORMS["frobenius"] if p == 2.0 else Norm(magnitudes[prefix], p)
