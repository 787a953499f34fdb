"""Alignment of minima of the teacher-student model, against all permutations."""

from itertools import permutations

import numpy as np
import pytest
from scipy.integrate import quad

from modeconn.align import match_minima, mixing_cost
from modeconn.errors import InputError
from modeconn.star import sample_minima


def halfway_loss(labels, a, other, b, M):
    """1/2 E (f - f*)^2 halfway, for Gaussian inputs: the kernel of every two neurons by their angle."""
    m = len(a)
    W = np.zeros((M, m))
    W[labels - 1, range(m)] += a / 2
    W[other - 1, range(m)] += b / 2
    Z, signs = np.concatenate([W, np.eye(M)], 1), np.concatenate([np.ones(m), -np.ones(M)])
    sizes = np.linalg.norm(Z, axis=0)
    angle = np.arccos(np.clip(Z.T @ Z / np.outer(sizes, sizes), -1, 1))
    kernel = np.outer(sizes, sizes) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return signs @ kernel @ signs / 2


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 0.5), (0.01, 3.0)])
def test_mixing_cost_by_quadrature(a, b):
    """Independent implementation: the integral over the angle of (min(a |cos|, b |sin|) / 2)^2, E r^2 = 2."""
    inner, _ = quad(lambda u: min(a * np.cos(u), b * np.sin(u)) ** 2 / 4, 0, np.pi / 2, points=[np.arctan2(a, b)])
    np.testing.assert_allclose(mixing_cost(a, b), 2 * inner * 2 / (2 * np.pi), rtol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_against_all_permutations(seed):
    """Brute force: the assignment attains the least sum of costs, and no permutation goes below the lower bound."""
    M, m = 3, 5
    drawn = sample_minima(seed, 2, m, M, labels="iid")
    (l, k), (a, b) = drawn.labels, drawn.magnitudes
    found = match_minima(l, a, k, b)
    sums, losses = [], []
    for order in map(list, permutations(range(m))):
        mixed = l != k[order]
        sums.append(mixing_cost(a, b[order])[mixed].sum() / 2)
        losses.append(halfway_loss(l, a, k[order], b[order], M))
    np.testing.assert_allclose(found.lower, min(sums), atol=1e-15)
    assert min(losses) >= found.lower - 1e-9
    order = found.permutation
    mixed = l != k[order]
    assert found.mixed == mixed.sum() == min((l != k[list(o)]).sum() for o in permutations(range(m)))
    np.testing.assert_allclose(found.mixed_mass, (a + b[order])[mixed].sum())
    aligned = halfway_loss(l, a, k[order], b[order], M)
    assert found.lower - 1e-9 <= aligned <= found.mixed_mass**2 / (32 * np.pi) + 1e-9


def test_equal_minima_in_another_order_match_at_no_cost():
    """By construction: a permuted copy; neurons that are 0 go anywhere."""
    labels, lengths = np.array([1, 0, 2, 2]), np.array([1.0, 0.0, 0.25, 0.75])
    order = np.array([3, 0, 1, 2])
    found = match_minima(labels, lengths, labels[order], lengths[order])
    assert (found.lower, found.mixed, found.mixed_mass) == (0.0, 0, 0.0)


def test_shapes_that_differ_are_refused():
    """By construction."""
    with pytest.raises(InputError, match="one shape"):
        match_minima(np.array([1, 2]), np.ones(2), np.array([1]), np.ones(1))
