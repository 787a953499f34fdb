"""One neuron fewer than N: what connect takes by itself, for which regions, accepted by the checker."""

import numpy as np
import pytest

from modeconn.constructions import checked_pair, connect, constructions_for, problem_to_json
from modeconn.nets import Net
from proofs_check.checker import check_certificate


def drawn(seed, m, n=3, d=2):
    """Two nets, data, and the same nets as a user gives them."""
    rng = np.random.default_rng(seed)
    nets = [Net(rng.normal(size=(d, m)) / 4, rng.normal(size=(1, m)) / 4) for _ in range(2)]
    return *nets, rng.normal(size=(n, d)), np.zeros(n)


@pytest.mark.parametrize(("region", "least"), [("spectral:2", 6), ("frobenius:2", 4), ("spectral:2,spectral:3", 6)])
@pytest.mark.parametrize("seed", range(4))
def test_connect_joins_at_one_neuron_fewer(region, least, seed):
    """Certificate: at m = N - 1 (7 - 1 and 5 - 1) connect finds a path, and the exact checker accepts it."""
    found = connect(*drawn(seed, least), region)
    assert found.joined
    assert check_certificate(found.certificate(), problem_to_json(*drawn(seed, least), region)).accepted


@pytest.mark.parametrize(
    ("region", "offered"),
    [
        ("spectral:2", True),
        ("frobenius:2", True),
        ("joint-frobenius:3", False),
        ("schatten:4:2", False),
        ("spectral:2,frobenius:2", False),
    ],
)
def test_it_is_offered_where_it_is_proved(region, offered):
    """Oracle: the hypotheses of the proof."""
    names = [construction.name for construction in constructions_for(checked_pair(*drawn(0, 8), region))]
    assert ("balanced-climb" in names) is offered


@pytest.mark.parametrize("region", ["spectral:3", "frobenius:4"])
@pytest.mark.parametrize("seed", range(4))
def test_neurons_that_training_has_all_but_killed_take_no_slot(region, seed):
    """Certificate: weights of 1e-10 beside weights of 1, at the least width that N asks for."""
    first, second, X, Y = drawn(seed, 7 if region.startswith("spectral") else 5)
    fading = np.where(np.arange(first.W.shape[1]) < 2, 1e-10, 1.0)
    first = Net(first.W * fading, first.A * fading)
    found = connect(first, second, X, Y, region)
    assert found.joined
    assert check_certificate(found.certificate(), problem_to_json(first, second, X, Y, region)).accepted
