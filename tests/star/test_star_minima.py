"""Samplers of the minima manifold: exact membership, the laws of counts, order and magnitudes."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from modeconn.errors import InputError
from modeconn.star import (
    LABEL_LAWS,
    MAGNITUDE_LAWS,
    Minima,
    minima_from_weights,
    sample_minima,
    units,
    weights,
)
from proofs_check.exact.teacher import is_teacher


@pytest.mark.parametrize("labels", LABEL_LAWS)
@pytest.mark.parametrize("magnitudes", MAGNITUDE_LAWS)
def test_samples_lie_on_the_manifold_exactly(labels, magnitudes):
    """Certificate: the floats, read as rationals, compute the teacher."""
    minima = sample_minima(1, 3, 11, 3, labels=labels, magnitudes=magnitudes, zero_probability=0.3, active=2)
    for W in weights(minima, 4):
        assert is_teacher([[Fraction(x) for x in row] for row in W.T.tolist()], 3)
    assert ((minima.magnitudes > 0) == (minima.labels > 0)).all()


@pytest.mark.parametrize("labels", LABEL_LAWS)
def test_the_first_minima_do_not_depend_on_how_many_are_drawn(labels):
    """By construction."""
    few, many = (sample_minima(5, n, 9, 3, labels=labels, zero_probability=0.5) for n in (4, 50))
    np.testing.assert_array_equal(few.labels, many.labels[:4])
    np.testing.assert_array_equal(few.magnitudes, many.magnitudes[:4])


def hausdorff_law(m, M):
    """Volume of every piece of the manifold by its labels: products of simplices, from Gram determinants."""

    def volume(k):
        if k == 1:
            return 1.0
        edges = np.eye(k)[1:] - np.eye(k)[0]
        return math.sqrt(np.linalg.det(edges @ edges.T)) / math.factorial(k - 1)

    law = Counter()
    for labels in itertools.product(range(1, M + 1), repeat=m):
        counts = Counter(labels)
        if len(counts) == M:
            law[labels] = math.prod(volume(k) for k in counts.values())
    total = sum(law.values())
    return {labels: weight / total for labels, weight in law.items()}


@pytest.mark.parametrize(("m", "M"), [(4, 2), (5, 3), (3, 3), (4, 1)])
def test_uniform_labels_have_the_law_of_the_volumes(m, M):
    """Independent implementation: all labellings, volumes by Gram determinants; chi-square at level 1e-6."""
    law, n = hausdorff_law(m, M), 20_000
    seen = Counter(map(tuple, sample_minima(2, n, m, M).labels.tolist()))
    assert set(seen) <= set(law)
    if len(law) > 1:
        assert chisquare([seen[key] for key in law], [n * p for p in law.values()]).pvalue > 1e-6


def test_sparse_labels_have_their_law():
    """Independent implementation: all labellings with every teacher served; chi-square at level 1e-6."""
    m, M, r, n = 4, 2, 0.25, 20_000
    law = {
        labels: math.prod(r if j == 0 else (1 - r) / M for j in labels)
        for labels in itertools.product(range(M + 1), repeat=m)
        if {1, 2} <= set(labels)
    }
    total = sum(law.values())
    found = sample_minima(3, n, m, M, labels="iid", zero_probability=r)
    seen = Counter(map(tuple, found.labels.tolist()))
    assert chisquare([seen[key] for key in law], [n * p / total for p in law.values()]).pvalue > 1e-6


def test_magnitudes_are_uniform_on_the_simplex():
    """Closed form: a coordinate of the uniform law on a simplex with k vertices is Beta(1, k - 1)."""
    found = sample_minima(4, 4000, 5, 1)
    assert kstest(found.magnitudes[:, 2], "beta", (1, 4)).pvalue > 1e-6


@pytest.mark.parametrize("name", [name for name, law in MAGNITUDE_LAWS.items() if math.isfinite(law.moment_ratio)])
def test_moment_ratios(name):
    """Independent implementation: the mean of a million draws (heavy tails: within 3 %)."""
    g = MAGNITUDE_LAWS[name].draw(np.random.default_rng(0), (1_000_000,))
    assert (g**2).mean() / g.mean() ** 2 == pytest.approx(MAGNITUDE_LAWS[name].moment_ratio, rel=0.03)


def test_weights_and_back():
    """By construction."""
    minima = sample_minima(0, 4, 7, 2, labels="iid", zero_probability=0.4)
    again = minima_from_weights(weights(minima, 3), 2)
    np.testing.assert_array_equal(again.labels, minima.labels)
    np.testing.assert_array_equal(again.magnitudes, minima.magnitudes)


def test_bad_input_is_refused():
    """By construction."""
    with pytest.raises(InputError, match="did you mean 'hausdorff'"):
        sample_minima(0, 1, 4, 2, labels="hausdorf")
    with pytest.raises(InputError, match="law of the magnitudes"):
        sample_minima(0, 1, 4, 2, magnitudes="gaussian")
    for bad in ({"m": 1}, {"n": 0}, {"M": 17}, {"zero_probability": 1.0}):
        with pytest.raises(InputError, match="expected n, active"):
            sample_minima(**{"seed": 0, "n": 1, "m": 20, "M": 2, "labels": "iid", **bad})
    with pytest.raises(InputError, match="unserved"):
        sample_minima(0, 1, 2, 2, labels="iid", zero_probability=0.99)
    with pytest.raises(InputError, match="off them"):
        minima_from_weights(np.array([[1.0, -0.5]]), 1)
    for seed in (-1, 0.5, None):
        with pytest.raises(InputError, match="integer seed"):
            sample_minima(seed, 1, 4, 2)
    for W, M in ((np.ones(2), 1), (np.ones((1, 2)), 2), (np.ones((1, 2)), 0), (np.full((1, 2), np.nan), 1)):
        with pytest.raises(InputError, match="one neuron is a column"):
            minima_from_weights(W, M)
    with pytest.raises(InputError, match="multiples of UNIT"):
        units(Minima(np.array([1]), np.array([1 / 3])))
    with pytest.raises(InputError, match="use a larger d"):
        weights(sample_minima(0, 1, 4, 2), 1)
