"""Initialisations: every neuron has its own key, every scale is that of the true width."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from modeconn.errors import InputError, unknown_name
from modeconn.nets.net import Net

__all__ = ["INITIALISATIONS", "Initialisation", "Scales", "initialisation_from_name", "initialise", "unit_sphere"]


class Scales(NamedTuple):
    """Factors on the unit draws of the three leaves."""

    W: Any
    A: Any
    b: Any = 0.0


class Initialisation(NamedTuple):
    """A law of the weights: independent unit draws, times scales.

    Attributes:
        name: key in :data:`INITIALISATIONS`.
        law: of one neuron's unit draws: ``normal`` N(0, 1), ``uniform`` on [-1, 1], ``sphere`` (w_j and a_j uniform
            on the unit spheres of R^d and R^c).
        scales: (d, m, c) -> :class:`Scales`, with m the true width (it may be traced).
        formula: the law in one line.
    """

    name: str
    law: str
    scales: Callable[[int, Any, int], Scales]
    formula: str


def unit_sphere(key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return a uniform point of the unit sphere: a normal vector over its length."""
    g = jax.random.normal(key, shape, dtype)
    return g / jnp.sqrt(jnp.sum(g * g))


_UNIT_LAWS: dict[str, Callable[[Array, tuple[int, ...], Any], Array]] = {
    "normal": jax.random.normal,
    "uniform": lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, minval=-1.0, maxval=1.0),
    "sphere": unit_sphere,
}

_RICH = 1e-2

INITIALISATIONS: dict[str, Initialisation] = {
    rule.name: rule
    for rule in (
        Initialisation(
            "he",
            "normal",
            lambda d, m, c: Scales((2 / d) ** 0.5, m**-0.5),
            "W ~ N(0, 2/d), A ~ N(0, 1/m), b = 0 (Kaiming)",
        ),
        Initialisation(
            "xavier",
            "uniform",
            lambda d, m, c: Scales((6 / (d + m)) ** 0.5, (6 / (m + c)) ** 0.5),
            "W ~ U(+-sqrt(6/(d+m))), A ~ U(+-sqrt(6/(m+c))), b = 0 (Glorot)",
        ),
        Initialisation(
            "fan_in",
            "uniform",
            lambda d, m, c: Scales(d**-0.5, m**-0.5, d**-0.5),
            "W, b ~ U(+-1/sqrt(d)), A ~ U(+-1/sqrt(m)) (what PyTorch's Linear does)",
        ),
        Initialisation("box", "uniform", lambda d, m, c: Scales(1.0, 1.0, 1.0), "W, A, b ~ U(+-1), at every width"),
        Initialisation(
            "mean_field",
            "normal",
            lambda d, m, c: Scales(d**-0.5, 1.0 / m),
            "W ~ N(0, 1/d), A ~ N(0, 1)/m, b = 0: f is an average over neurons",
        ),
        Initialisation(
            "rich",
            "normal",
            lambda d, m, c: Scales(_RICH * (2 / d) ** 0.5, _RICH * m**-0.5),
            "he times 1/100 in W and in A: small, so that features are learnt",
        ),
        Initialisation(
            "sphere",
            "sphere",
            lambda d, m, c: Scales(1.0, m**-0.5),
            "w_j uniform on the unit sphere of R^d, a_j on that of R^c times 1/sqrt(m), b = 0",
        ),
    )
}

_ALIASES = {"kaiming": "he", "glorot": "xavier", "small": "rich", "uniform": "box"}


def initialisation_from_name(name: str) -> Initialisation:
    """Return the initialisation called ``name`` (kaiming, glorot, small and uniform are aliases)."""
    rule = INITIALISATIONS.get(_ALIASES.get(name, name))
    if rule is None:
        raise unknown_name("initialisation", name, [*INITIALISATIONS, *_ALIASES])
    return rule


@functools.partial(jax.jit, static_argnames=("law", "d", "slots", "c", "dtype"))
def _unit_draws(key: Array, law: str, d: int, slots: int, c: int, dtype: Any) -> tuple[Array, Array, Array]:
    """Return unit draws of W (d, slots), A (c, slots), b (slots,); neuron j uses only fold_in(key, j)."""
    draw = _UNIT_LAWS[law]

    def neuron(j: Array) -> tuple[Array, Array, Array]:
        k = jax.random.fold_in(key, j)
        w, a, b = (jax.random.fold_in(k, leaf) for leaf in range(3))
        return draw(w, (d,), dtype), draw(a, (c,), dtype), draw(b, (), dtype)

    return jax.vmap(neuron, out_axes=(1, 1, 0))(jnp.arange(slots))


def _float_dtype(dtype: Any) -> Any:
    """Return the float dtype to draw in; refuse 64-bit floats that JAX would silently make 32-bit."""
    wanted = np.dtype(jnp.result_type(float)) if dtype is None else np.dtype(dtype)
    if not jnp.issubdtype(wanted, jnp.floating):
        raise InputError(f"initialise: expected a float dtype, found {wanted}; use float32 or float64")
    if wanted != jax.dtypes.canonicalize_dtype(wanted):
        raise InputError("initialise: float64 asked for while JAX is in 32-bit mode; call inside precision.float64()")
    return wanted


def initialise(
    key: Array,
    d: int,
    m: int | Array,
    c: int = 1,
    *,
    name: str = "he",
    bias: bool = False,
    fixed_output: bool = False,
    scale: float | Array = 1.0,
    padded_width: int | None = None,
    dtype: Any = None,
) -> Net:
    """Return a net drawn from an initialisation.

    Neuron j is drawn with ``fold_in(key, j)`` and scaled by the true width m, never by the padded one: padding
    leaves the first m neurons as they were, bit for bit, and the first k unit draws are the same at every width.
    May be called under ``jit`` and ``vmap`` over ``key``, ``m`` (with ``padded_width``) and ``scale``.
    Cost O(padded width (d + c)).

    Args:
        key: JAX random key.
        d: input dimension.
        m: true width; may be a traced integer when ``padded_width`` is given.
        c: outputs.
        name: key in :data:`INITIALISATIONS`.
        bias: whether the net has biases (zero unless the law says otherwise).
        fixed_output: leave A out (all ones, one output); W is drawn as otherwise.
        scale: factor on every leaf.
        padded_width: number of columns; those from m on are dead neurons (all zero). Default m.
        dtype: float dtype; default is JAX's current float.

    Raises:
        InputError: unknown name (the nearest is named), a size below 1, more neurons than columns, several outputs
            with fixed output weights, or float64 asked for in 32-bit mode.

    Example:
        >>> import jax
        >>> key = jax.random.key(0)
        >>> net = initialise(key, d=3, m=4, c=2, name="he", bias=True)
        >>> net.W.shape, net.A.shape, net.b.shape
        ((3, 4), (2, 4), (4,))
        >>> padded = initialise(key, d=3, m=4, c=2, name="he", padded_width=6)
        >>> bool((padded.W[:, :4] == net.W).all()), padded.W[:, 4:].any().item()
        (True, False)
    """
    rule = initialisation_from_name(name)
    if padded_width is None and isinstance(m, jax.core.Tracer):
        raise InputError("initialise: a traced width needs padded_width, the static number of columns")
    slots = int(m) if padded_width is None else padded_width
    for label, size in (("d", d), ("c", c), ("width", slots if isinstance(m, jax.core.Tracer) else int(m))):
        if size < 1:
            raise InputError(f"initialise: expected {label} >= 1, found {size}; give at least one")
    if not isinstance(m, jax.core.Tracer) and int(m) > slots:
        raise InputError(f"initialise: width {int(m)} does not fit in padded_width {slots}; pad to at least the width")
    if fixed_output and c != 1:
        raise InputError(f"initialise: fixed output weights have one output, found c = {c}; set c = 1 or train A")
    dtype = _float_dtype(dtype)
    W, A, b = _unit_draws(key, rule.law, d, slots, c, dtype)
    live = jnp.arange(slots) < m
    factor = rule.scales(d, m, c)

    def leaf(unit: Array, size: Any) -> Array:
        return jnp.where(live, unit * jnp.asarray(scale * size, dtype), jnp.zeros((), dtype))

    return Net(leaf(W, factor.W), None if fixed_output else leaf(A, factor.A), leaf(b, factor.b) if bias else None)
