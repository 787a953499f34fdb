"""Linear nets: mixed sums, segments and samplers of minima."""

import itertools
import math

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.star import (
    check_linear_net,
    end_to_end,
    exact_matrix,
    exact_net,
    mixed_sums,
    random_layer,
    sample_linear_minimum,
    segment_defects,
)

SHAPES = [(1, (2, 3)), (2, (2, 3, 1)), (3, (1, 4, 2, 3)), (4, (2, 2, 2, 2, 2))]


def subset_sums(net, other):
    """S_0, ..., S_L as 2^L products, one for each choice of layers."""
    sums = [0] * (len(net) + 1)
    for taken in itertools.product((0, 1), repeat=len(net)):
        layers = [(other, net)[which][l] for l, which in enumerate(taken)]
        found = layers[0]
        for layer in layers[1:]:
            found = layer @ found
        sums[sum(taken)] = sums[sum(taken)] + found
    return sums


def random_net(rng, sizes, exact):
    return tuple(random_layer(rng, b, a, exact) for a, b in itertools.pairwise(sizes))


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("depth", "sizes"), SHAPES)
def test_mixed_sums_are_sums_over_subsets_of_layers(depth, sizes, exact):
    """Independent implementation: all 2^L products."""
    rng = np.random.default_rng(depth)
    one, other = random_net(rng, sizes, exact), random_net(rng, sizes, exact)
    for found, slow in zip(mixed_sums(one, other), subset_sums(one, other), strict=True):
        np.testing.assert_allclose(found.astype(float), slow.astype(float), rtol=1e-12, atol=1e-12)
        assert not exact or (found == slow).all()


@pytest.mark.parametrize(("depth", "sizes"), SHAPES)
def test_defects_are_the_bernstein_coefficients_of_the_error(depth, sizes):
    """Closed form: sum_k C(L, k) t^k (1-t)^(L-k) D_k is the product of the interpolated layers less Q."""
    rng = np.random.default_rng(depth)
    one, other = random_net(rng, sizes, False), random_net(rng, sizes, False)
    Q = rng.normal(size=(sizes[-1], sizes[0]))
    defects = segment_defects(one, other, Q)
    for t in (0.0, 0.3, 0.8, 1.0):
        error = end_to_end(tuple(t * a + (1 - t) * b for a, b in zip(one, other, strict=True))) - Q
        bernstein = sum(math.comb(depth, k) * t**k * (1 - t) ** (depth - k) * D for k, D in enumerate(defects))
        np.testing.assert_allclose(error, bernstein, atol=1e-12)


@pytest.mark.parametrize("widths", [(), (1,), (2,), (5,), (4, 1), (1, 4), (2, 1, 3), (3, 3, 3)])
@pytest.mark.parametrize(("c", "d", "rank"), [(1, 1, 1), (1, 1, 0), (3, 2, 1), (2, 3, 1), (2, 2, 0)])
def test_sampled_nets_compute_q(widths, c, d, rank):
    """By construction: A_L ... A_1 = Q, exactly and to rounding; narrow, wide and uneven hidden layers."""
    rng = np.random.default_rng([c, d, rank, *widths])
    Q = exact_matrix([[0] * d] * c)
    for _ in range(rank):
        Q = Q + random_layer(rng, c, 1, exact=True) @ random_layer(rng, 1, d, exact=True)
    net = sample_linear_minimum(rng, Q, widths)
    assert [layer.shape[0] for layer in net] == [*widths, c]
    assert (end_to_end(net) == Q).all()
    floats = sample_linear_minimum(rng, Q.astype(float), widths)
    np.testing.assert_allclose(end_to_end(floats), Q.astype(float), atol=1e-9)


def test_samples_differ_and_use_all_of_the_last_layer():
    """By construction: the last layer is more than its particular solution, so it has no forced zeros."""
    Q = exact_matrix([[2]])
    one, other = (sample_linear_minimum(np.random.default_rng(seed), Q, (5,)) for seed in (0, 1))
    assert not (one[0] == other[0]).all()
    assert sum(x != 0 for x in one[1][0]) > 2


def test_a_net_narrower_than_the_rank_is_refused():
    """By construction: rank Q = 2 does not go through one neuron."""
    with pytest.raises(InputError, match="hidden widths >= 2"):
        sample_linear_minimum(np.random.default_rng(0), exact_matrix([[1, 0], [0, 1]]), (1,))


@pytest.mark.parametrize(
    ("rng", "Q", "widths", "message"),
    [
        (0, np.eye(2), (3,), "default_rng"),
        (None, np.eye(2), (3,), "default_rng"),
        (np.random.default_rng(0), np.full((2, 2), np.nan), (3,), "finite"),
        (np.random.default_rng(0), np.ones(2), (3,), "Q"),
        (np.random.default_rng(0), np.eye(2, dtype=int), (3,), "exact_net"),
        (np.random.default_rng(0), np.zeros((1, 1)), (0,), "integers >= 1"),
        (np.random.default_rng(0), np.eye(2), (2.5,), "integers >= 1"),
    ],
)
def test_bad_input_of_the_sampler_is_refused(rng, Q, widths, message):
    """By construction."""
    with pytest.raises(InputError, match=message):
        sample_linear_minimum(rng, Q, widths)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([np.ones((2, 1)), np.ones((1, 3))], "first layer first"),
        ([np.ones((2, 1)), np.full((1, 2), np.nan)], "finite"),
        ([np.ones((2, 1)), np.ones((1, 2), int)], "use exact_net"),
        ([np.ones(2)], "none of them empty"),
        ([], "none of them empty"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    """By construction."""
    with pytest.raises(InputError, match=message):
        check_linear_net(layers)


def test_exact_numbers_are_read_as_written():
    """By construction: 0.1 is one tenth; ragged rows are refused."""
    assert str(exact_matrix([[0.1, "3/7"]])[0, 0]) == "1/10"
    with pytest.raises(InputError, match="one length"):
        exact_net([[[1, 2], [3]]])
