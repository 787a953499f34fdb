"""Predictions, folding of biases, checks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import Net, check_net, fold_bias, output_weights, predict


def random_net(seed: int, d: int = 3, m: int = 4, c: int = 2, *, bias: bool = True, fixed: bool = False) -> Net:
    rng = np.random.default_rng(seed)
    A = None if fixed else rng.normal(size=(c, m))
    return Net(rng.normal(size=(d, m)), A, rng.normal(size=m) if bias else None)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_predict_is_the_sum_over_neurons(fixed: bool, bias: bool) -> None:
    """Oracle: independent implementation, one data point and one neuron at a time in Python floats."""
    net = random_net(0, bias=bias, fixed=fixed)
    X = np.random.default_rng(1).normal(size=(5, 3))
    expected = np.zeros((5, 1 if fixed else 2))
    for i in range(5):
        for j in range(4):
            z = sum(float(X[i, k]) * float(net.W[k, j]) for k in range(3)) + (float(net.b[j]) if bias else 0.0)
            expected[i] += max(z, 0.0) * (1.0 if fixed else np.asarray(net.A)[:, j])
    np.testing.assert_allclose(predict(net, X), expected, rtol=1e-13, atol=1e-13)
    jax_net = jax.tree.map(jnp.asarray, net)
    np.testing.assert_allclose(predict(jax_net, jnp.asarray(X)), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("fixed", [False, True])
def test_folding_the_bias_keeps_the_prediction(fixed: bool) -> None:
    """Oracle: by construction; the folded net has no bias and one more input."""
    net, X = random_net(2, fixed=fixed), np.random.default_rng(3).normal(size=(6, 3))
    folded, with_ones = fold_bias(net, X)
    assert folded.b is None
    assert folded.W.shape == (4, 4)
    np.testing.assert_allclose(predict(folded, with_ones), predict(net, X), rtol=1e-13, atol=1e-13)
    assert fold_bias(folded, with_ones)[0] is folded


def test_numpy_nets_are_computed_in_float64_when_jax_is_in_32_bit_mode() -> None:
    """Oracle: 1 + 2^-40 is a float64 and not a float32."""
    with jax.enable_x64(False):
        net = Net(np.array([[1.0 + 2.0**-40]]))
        folded, X = fold_bias(net._replace(b=np.array([2.0**-41])), np.ones((1, 1)))
        assert predict(net, np.ones((1, 1))).item() == 1.0 + 2.0**-40
        assert predict(folded, X).item() == 1.0 + 2.0**-40 + 2.0**-41
        assert output_weights(net).dtype == np.float64


def test_relu_has_derivative_zero_at_zero() -> None:
    """Oracle: the convention stated by ``predict``."""
    gradient = jax.grad(lambda W: predict(Net(W), jnp.ones((1, 1))).sum())(jnp.zeros((1, 1)))
    assert gradient.item() == 0.0


@pytest.mark.parametrize(
    ("net", "says"),
    [
        (Net(np.zeros((2, 0)), np.zeros((1, 0))), "at least one neuron"),
        (Net(np.zeros((0, 2)), np.zeros((1, 2))), "at least one neuron"),
        (Net(np.zeros(2), np.zeros((1, 2))), "shape (d, m)"),
        (Net(np.zeros((2, 3)), np.zeros(3)), "output weights (c, 3)"),
        (Net(np.zeros((2, 3)), np.zeros((1, 2))), "output weights (c, 3)"),
        (Net(np.zeros((2, 3)), np.zeros((1, 3)), np.zeros((1, 3))), "biases of shape (3,)"),
        (Net(np.array([[np.nan, np.inf]]), np.zeros((1, 2))), "W holds 2 NaN"),
        (Net(np.zeros((1, 2)), np.zeros((1, 2)), np.array([0.0, -np.inf])), "b holds 1 NaN"),
        (Net(np.zeros((1, 2), int), np.zeros((1, 2))), "expected real floats"),
        (Net(np.zeros((1, 2), complex), np.zeros((1, 2))), "expected real floats"),
    ],
)
def test_check_net_names_what_is_wrong(net: Net, says: str) -> None:
    """Oracle: by construction; each net has one fault."""
    with pytest.raises(InputError) as caught:
        check_net(net, "theta")
    assert says in str(caught.value)
    assert str(caught.value).startswith("theta: ")
    assert "\n" not in str(caught.value)


def test_check_net_accepts_good_nets() -> None:
    """Oracle: by construction."""
    check_net(random_net(0))
    check_net(random_net(0, fixed=True, bias=False))
    check_net(jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), random_net(1)))
