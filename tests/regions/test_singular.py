"""LAPACK on a CPU is handed one matrix at a time: a batch would wait for the threads that run the program."""

import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from modeconn.nets import Net
from modeconn.regions import norm_from_name, partial_isometry, thin_svd
from modeconn.train.program import Lanes, Recipe, advance, begin

X = np.random.default_rng(0).normal(size=(6, 12, 20))
LAPACK = re.compile(r"= \((f\d+\[[\d,]*\]).*custom_call_target=\"lapack_\w*sdd_ffi\"")


def decomposed(program: Callable[..., object], *arguments: object) -> list[str]:
    """Return what the compiled program hands to LAPACK's SVD: type and shape, call by call."""
    text = jax.jit(program).lower(*arguments).compile().as_text()
    return LAPACK.findall(text)


@pytest.mark.parametrize("nested", [False, True])
def test_one_matrix_at_a_time(nested: bool) -> None:
    """Oracle: the compiled program; by construction every call has the shape of one matrix, whatever the batch."""
    function = jax.vmap(jax.vmap(thin_svd)) if nested else jax.vmap(thin_svd)
    shapes = decomposed(function, X.reshape(2, 3, 12, 20) if nested else X)
    assert shapes == ["f64[12,20]"]


def test_a_step_of_muon_waits_for_no_thread() -> None:
    """Oracle: the compiled program of training, both matrices beyond Jacobi; what it hung on was [2,64,32]."""
    recipe, f = Recipe("muon", (), "half_squared_error", "constant", None), np.float64
    lanes = Lanes(np.arange(2, dtype=np.uint32), np.full(2, 32, np.int32), np.ones(2, f), np.ones(2, f), {})
    state = begin(recipe, lanes, Net(np.ones((2, 64, 32), f), np.ones((2, 10, 32), f)))
    data = np.ones((5, 64), f), np.ones((5, 10), f)
    numbers = np.int32(0), np.array([3], np.int32), np.int32(3)

    def program(lanes: Lanes, state: object) -> object:
        return advance(recipe, jax.random.key(0), lanes, state, *data, *numbers)

    assert sorted(decomposed(program, lanes, state)) == ["f64[10,32]", "f64[32,64]"]


def test_a_batch_is_its_matrices() -> None:
    """Oracle: JAX's own SVD of the whole batch, which visits the same matrices: equal in every bit."""
    unit = X / np.abs(X).max((1, 2), keepdims=True)
    for own, whole in zip(jax.vmap(thin_svd)(unit), jnp.linalg.svd(unit, full_matrices=False), strict=True):
        np.testing.assert_array_equal(own, whole)


def test_gradients_pass_through_a_batch() -> None:
    """Oracle: the gradient of the nuclear norm is the polar factor; of a batch, that of each matrix."""
    nuclear = norm_from_name("nuclear").value

    def total(x: Array) -> Array:
        return jnp.sum(jax.vmap(nuclear)(x))

    want = jax.vmap(partial_isometry)(X)
    np.testing.assert_allclose(jax.grad(total)(jnp.asarray(X)), want, atol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.grad(nuclear))(jnp.asarray(X)), want, atol=1e-12)
