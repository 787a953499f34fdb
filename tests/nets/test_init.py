"""Initialisations: keys per neuron, scales of the true width, laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import INITIALISATIONS, Net, check_net, initialise

KEY = jax.random.key(11)
NAMES = sorted(INITIALISATIONS)


def same_bits(one: object, other: object) -> bool:
    return all(np.array_equal(u, v) for u, v in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_padding_leaves_the_live_neurons_as_they_were(name: str) -> None:
    """Oracle: the net of width 5 without padding, bit for bit; the padding is zero."""
    net = initialise(KEY, 6, 5, 2, name=name, bias=True)
    check_net(net)
    padded = initialise(KEY, 6, 5, 2, name=name, bias=True, padded_width=13)
    assert same_bits(jax.tree.map(lambda leaf: leaf[..., :5], padded), net)
    assert not any(leaf[..., 5:].any() for leaf in padded)


@pytest.mark.parametrize("name", NAMES)
def test_traced_width_and_scale_agree_with_plain_ones(name: str) -> None:
    """Oracle: the same call without vmap; equal up to one rounding of the scale."""
    widths, scales = jnp.array([1, 5, 13]), jnp.array([1.0, 0.5, 2.0])

    def draw(m: int | jax.Array, s: float | jax.Array) -> Net:
        return initialise(KEY, 6, m, 2, name=name, bias=True, scale=s, padded_width=13)

    fleet = jax.vmap(draw)(widths, scales)
    for k in range(3):
        one = draw(int(widths[k]), float(scales[k]))
        for leaf, single in zip(fleet, one, strict=True):
            np.testing.assert_allclose(leaf[k], single, rtol=1e-15)


def test_leading_neurons_do_not_depend_on_the_width() -> None:
    """Oracle: the box law has no scale in m, so its first neurons are the same at every width; he's W likewise."""
    for name, leaves in (("box", 3), ("he", 1)):
        narrow, wide = (initialise(KEY, 6, m, 2, name=name, bias=True) for m in (5, 13))
        for k in range(leaves):
            assert np.array_equal(narrow[k], wide[k][..., :5])


def test_neurons_and_keys_differ() -> None:
    """Oracle: distinct draws are distinct with probability one."""
    W = np.asarray(initialise(KEY, 6, 13, 2, name="box").W)
    assert np.unique(W).size == 6 * 13
    assert not np.array_equal(W, initialise(jax.random.key(12), 6, 13, 2, name="box").W)


# (variance of an entry of W, of A, of b) for d = 6, m = 4000, c = 2, from the formulas of the literature.
VARIANCES = {
    "he": (2 / 6, 1 / 4000, 0.0),
    "xavier": (2 / 4006, 2 / 4002, 0.0),
    "fan_in": (1 / 18, 1 / 12000, 1 / 18),
    "box": (1 / 3, 1 / 3, 1 / 3),
    "mean_field": (1 / 6, 1 / 4000**2, 0.0),
    "rich": (2e-4 / 6, 1e-4 / 4000, 0.0),
    "sphere": (1 / 6, 1 / 8000, 0.0),
}


@pytest.mark.parametrize("name", NAMES)
def test_mean_and_variance(name: str) -> None:
    """Oracle: closed form; the sample mean and variance of n >= 4000 draws are within 6 standard errors."""
    net = initialise(KEY, 6, 4000, 2, name=name, bias=True)
    for leaf, variance in zip(net, VARIANCES[name], strict=True):
        values, n = np.asarray(leaf).ravel(), leaf.size
        assert abs(values.mean()) <= 6 * np.sqrt(variance / n)
        assert abs(values.var() - variance) <= 6 * variance * np.sqrt(2 / n)


def test_sphere_neurons_have_unit_length() -> None:
    """Oracle: closed form; for one output A is +-1/sqrt(m)."""
    net = initialise(KEY, 3, 4, name="sphere")
    np.testing.assert_allclose(np.linalg.norm(net.W, axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.abs(net.A), 0.5, rtol=1e-14)
    assert len(set(np.sign(np.asarray(net.A)).ravel().tolist())) == 2


def test_options() -> None:
    """Oracle: by construction; fixed output weights and no bias leave no leaf, W is drawn as otherwise."""
    net = initialise(KEY, 3, 4, fixed_output=True)
    assert net.A is None
    assert net.b is None
    full = initialise(KEY, 3, 4, bias=True)
    assert np.array_equal(net.W, full.W)
    assert same_bits(initialise(KEY, 3, 4, name="kaiming", bias=True), full)
    assert initialise(KEY, 3, 4, dtype=jnp.float32).W.dtype == np.float32


def test_float64_is_refused_in_32_bit_mode() -> None:
    """Oracle: JAX would silently draw float32 there."""
    with jax.enable_x64(False):
        assert initialise(jax.random.key(0), 2, 2).W.dtype == np.float32
        with pytest.raises(InputError, match=r"precision\.float64"):
            initialise(jax.random.key(0), 2, 2, dtype=np.float64)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "hee"}, "did you mean 'he'"),
        ({"m": 0}, "width >= 1"),
        ({"d": 0}, "d >= 1"),
        ({"c": 0}, "c >= 1"),
        ({"m": 5, "padded_width": 4}, "does not fit"),
        ({"c": 2, "fixed_output": True}, "one output"),
        ({"dtype": np.int32}, "float dtype"),
    ],
)
def test_bad_arguments(arguments: dict, says: str) -> None:
    """Oracle: by construction; each call has one fault."""
    with pytest.raises(InputError, match=says):
        initialise(KEY, **({"d": 2, "m": 3} | arguments))


def test_traced_width_without_padding_is_refused() -> None:
    """Oracle: shapes cannot be traced."""
    with pytest.raises(InputError, match="padded_width"):
        jax.jit(lambda m: initialise(KEY, 2, m))(3)
