"""Teachers and the data they label."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.errors import InputError, unknown_name
from modeconn.nets.init import initialise, unit_sphere
from modeconn.nets.net import Net, output_weights, predict

__all__ = ["INPUT_LAWS", "orthogonal_teacher", "random_teacher", "sample_inputs", "teacher_data"]


INPUT_LAWS: dict[str, Callable[[Array, int, Any], Array]] = {
    "gaussian": lambda key, d, dtype: jax.random.normal(key, (d,), dtype),
    "sphere": lambda key, d, dtype: unit_sphere(key, (d,), dtype),
}
"""Laws of one input: N(0, I_d), or uniform on the unit sphere of R^d."""


def orthogonal_teacher(d: int, M: int, dtype: Any = None) -> Net:
    """Return the teacher sum_{j <= M} relu(e_j . x), with output weights fixed at +1.

    Raises:
        InputError: unless 1 <= M <= d (there are only d unit vectors e_j).

    Example:
        >>> orthogonal_teacher(3, 2).W.tolist()
        [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]

    Reference: theory section 5.
    """
    if not 1 <= M <= d:
        raise InputError(f"orthogonal_teacher: expected 1 <= M <= d, found M = {M}, d = {d}; use fewer neurons")
    return Net(jnp.eye(d, M, dtype=dtype))


def random_teacher(
    key: Array, d: int, M: int, c: int = 1, *, bias: bool = False, fixed_output: bool = False, dtype: Any = None
) -> Net:
    """Return a teacher with M neurons w_j uniform on the unit sphere of R^d and a_j on that of R^c (for c = 1: signs).

    Biases, if any, are uniform on [-1, 1].

    Example:
        >>> import jax
        >>> teacher = random_teacher(jax.random.key(0), d=4, M=3)
        >>> sorted(set(abs(teacher.A).ravel().tolist()))
        [1.0]
    """
    net = initialise(key, d, M, c, name="sphere", fixed_output=fixed_output, dtype=dtype)
    A = None if net.A is None else net.A / jnp.sqrt(jnp.sum(net.A**2, axis=0))
    b = initialise(key, d, M, c, name="box", bias=True, dtype=dtype).b if bias else None
    return Net(net.W, A, b)


@functools.partial(jax.jit, static_argnames=("n", "d", "law", "dtype"))
def _rows(key: Array, n: int, d: int, law: str, dtype: Any) -> Array:
    return jax.vmap(lambda i: INPUT_LAWS[law](jax.random.fold_in(key, i), d, dtype))(jnp.arange(n))


def sample_inputs(key: Array, n: int, d: int, law: str = "gaussian", dtype: Any = None) -> Float[Array, "n d"]:
    """Return n independent inputs; row i uses only ``fold_in(key, i)``, so the first rows do not depend on n."""
    if law not in INPUT_LAWS:
        raise unknown_name("input law", law, INPUT_LAWS)
    if n < 1 or d < 1:
        raise InputError(f"sample_inputs: expected n >= 1 and d >= 1, found n = {n}, d = {d}; draw at least one")
    return _rows(key, n, d, law, np.dtype(jnp.result_type(float) if dtype is None else dtype))


def teacher_data(
    key: Array, teacher: Net, n: int, *, inputs: str = "gaussian", noise: float = 0.0
) -> tuple[Float[Array, "n d"], Float[Array, "n c"]]:
    """Return inputs X (n, d) and targets Y = f_teacher(X) + noise * N(0, 1), shape (n, c).

    Inputs and noise of row i come from ``fold_in(key, i)`` alone, so a larger n only appends rows (inputs bit for bit,
    targets up to the rounding of the matrix product), and the inputs do not depend on the noise level. The dtype is
    the teacher's.

    Raises:
        InputError: unknown input law, n < 1, or a negative noise level.

    Example:
        >>> import jax
        >>> teacher = orthogonal_teacher(3, 2)
        >>> X, Y = teacher_data(jax.random.key(0), teacher, n=5, inputs="sphere")
        >>> X.shape, Y.shape, bool((Y == predict(teacher, X)).all())
        ((5, 3), (5, 1), True)
    """
    if not noise >= 0.0:
        raise InputError(f"teacher_data: expected a noise level >= 0, found {noise}")
    d, dtype = teacher.W.shape[0], teacher.W.dtype
    X = sample_inputs(jax.random.fold_in(key, 0), n, d, inputs, dtype)
    F = jnp.asarray(predict(teacher, X))
    if noise == 0.0:
        return X, F
    c = output_weights(teacher).shape[0]
    return X, F + noise * sample_inputs(jax.random.fold_in(key, 1), n, c, "gaussian", dtype)
