"""The KKT score (claim L3) at points where it is known."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from modeconn.errors import InputError
from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.optim import OPTIMIZERS, POTENTIALS, Potential, tree_gradient, tree_region
from modeconn.probes import in_region, kkt_score, region_ratios

SQUARED = LOSSES["half_squared_error"]
NORM_NAMES = [name for name, potential in POTENTIALS.items() if potential.is_norm]
OTHER_NAMES = [name for name in POTENTIALS if name not in NORM_NAMES]


def random_net(seed: int, scale: float = 1.0) -> Net:
    k = jax.random.split(jax.random.key(seed), 2)
    return Net(scale * jax.random.normal(k[0], (3, 4)), scale * jax.random.normal(k[1], (2, 4)))


def test_one_neuron_by_hand() -> None:
    """Closed form: f = relu(w), y = 3, ball |w| <= 1. The KKT point is w = 1; at w = 1/2 the score is 2.5 - 1.25."""
    X, Y = jnp.ones((1, 1)), jnp.full((1, 1), 3.0)

    @jax.jit
    def score(net: Net) -> Array:
        return kkt_score(jax.grad(lambda x: net_loss(SQUARED, x, X, Y))(net), net, POTENTIALS["l1"], 1.0)

    for w, expected in ((1.0, 0.0), (0.5, 1.25), (-1.0, 0.0)):  # at w = -1 the neuron is dead: gradient 0
        assert float(score(Net(jnp.array([[w]])))) == pytest.approx(expected, abs=1e-15)


@functools.partial(jax.jit, static_argnums=0)
def scores_along_the_ray(K: Potential, g: Net, lam: float, factors: Array) -> Array:
    """Return the scores at the multiples of x = -gradK(g) / lam."""
    x = jax.tree.map(lambda u: -u / lam, tree_gradient(K, g))
    return jax.vmap(lambda f: kkt_score(g, jax.tree.map(lambda leaf: f * leaf, x), K, lam))(factors)


@pytest.mark.parametrize("name", NORM_NAMES)
def test_zero_exactly_at_the_linear_minimiser(name: str) -> None:
    """By construction: x = -gradK(g) / lam minimises <g, x> over the ball, so it is KKT; inside the score is linear."""
    g = random_net(0)
    at_x, at_half, at_zero = scores_along_the_ray(POTENTIALS[name], g, 0.3, jnp.array([1.0, 0.5, 0.0]))
    assert abs(float(at_x)) < 1e-10
    assert float(at_half) > 0.1
    np.testing.assert_allclose(2 * at_half, at_zero, rtol=1e-10)


@pytest.mark.parametrize("name", ["lion", "muon", "muon_mixed", "normalized_sgd"])
def test_is_the_frank_wolfe_gap(name: str) -> None:
    """Independent implementation: lam <g, x - LMO(g)> with the region's own linear minimiser."""
    optimizer, lam = OPTIMIZERS[name], 0.7
    K = optimizer.potential
    assert K is not None
    g, x = random_net(1), random_net(2, 0.2)
    score, step = jax.jit(lambda g, x: (kkt_score(g, x, K, lam), optimizer.region(x, lam).minimizer(g)))(g, x)
    gap = sum(jnp.vdot(a, b - c) for a, b, c in zip(g[:2], x[:2], step[:2], strict=True))
    np.testing.assert_allclose(score, lam * gap, rtol=1e-10)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_penalised_potentials_use_the_fenchel_young_gap(name: str) -> None:
    """By construction: lam x = -gradK(g) is stationary for L + K*(lam x)/lam; elsewhere positive, infinite outside."""
    at_x, inside, outside = scores_along_the_ray(POTENTIALS[name], random_net(3), 0.5, jnp.array([1.0, 0.9, 2.0]))
    assert abs(float(at_x)) < 1e-9
    assert float(inside) > 1e-3
    assert float(outside) == np.inf


def test_without_decay_it_is_the_norm_of_the_gradient() -> None:
    """Closed form at lam = 0: K(g), and the region is everything."""
    g, x, K = random_net(4), random_net(5), POTENTIALS["l1"]
    score, ratios, inside = jax.jit(
        lambda g, x: (kkt_score(g, x, K, 0.0), region_ratios(x, K, 0.0), in_region(x, K, 0.0))
    )(g, x)
    assert float(score) == pytest.approx(sum(np.abs(leaf).sum() for leaf in map(np.asarray, g[:2])), rel=1e-12)
    assert all(float(ratio) == 0 for ratio in ratios.values())
    assert bool(inside)


def test_ratios_agree_with_the_region() -> None:
    """Independent implementation: the region of radius 1/lam gives the same ratios and the same membership."""
    x, K = random_net(6), POTENTIALS["sum_column"]

    @jax.jit
    def both(lam: float) -> tuple[dict[str, Array], dict[str, Array], Array, Array]:
        region = tree_region(K, x, 1 / lam)
        return region_ratios(x, K, lam), region.ratios(x), in_region(x, K, lam), region.contains(x)

    for lam, expected in ((0.9, False), (1e-3, True)):
        ratios, of_region, inside, contained = both(lam)
        for name, ratio in ratios.items():
            np.testing.assert_allclose(ratio, of_region[name], rtol=1e-12)
        assert bool(inside) == bool(contained) == expected


def test_batches_over_stacked_nets() -> None:
    """vmap over nets and decays is the same as one at a time."""
    K, lams = POTENTIALS["frobenius"], jnp.array([0.1, 0.5])
    gs, xs = ([random_net(s, 0.3) for s in seeds] for seeds in ((0, 1), (2, 3)))
    stack = lambda nets: jax.tree.map(lambda *leaves: jnp.stack(leaves), *nets)  # noqa: E731
    score = jax.jit(lambda g, x, lam: kkt_score(g, x, K, lam))
    together = jax.vmap(score)(stack(gs), stack(xs), lams)
    apart = [float(score(g, x, lam)) for g, x, lam in zip(gs, xs, lams, strict=True)]
    np.testing.assert_allclose(together, apart, rtol=1e-12)


def test_refuses_a_gradient_of_other_parameters() -> None:
    with pytest.raises(InputError, match="leaves"):
        kkt_score(Net(jnp.ones((1, 1))), Net(jnp.ones((1, 1)), jnp.ones((1, 1))), POTENTIALS["l1"], 1.0)
