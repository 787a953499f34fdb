"""Probabilities of a common centre: enumeration, sampling, exact tails."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import binom

from modeconn.errors import InputError
from modeconn.star import (
    centre_bound,
    centre_probability_hausdorff,
    centre_probability_iid,
    clopper_pearson,
    disjoint_probability,
    has_centre,
    hausdorff_log_weight,
    lower_tail,
    sample_minima,
)


@pytest.mark.parametrize(("m", "M", "k"), [(3, 2, 2), (4, 2, 3), (4, 3, 2), (3, 3, 2)])
def test_the_exact_probability_by_enumeration(m, M, k):
    """Independent implementation: all k-tuples of labellings that serve every teacher."""
    served = [np.array(f) for f in itertools.product(range(1, M + 1), repeat=m) if len(set(f)) == M]
    tuples = np.array(list(itertools.product(served, repeat=k)))
    assert centre_probability_iid(m, M, k) == Fraction(int(has_centre(tuples, M).sum()), len(tuples))


@pytest.mark.parametrize("m", [2, 3, 5])
def test_the_hausdorff_probability_by_enumeration(m):
    """Independent implementation: all pairs of labellings, weighted by the law of their counts."""
    served = [np.array(f) for f in itertools.product((1, 2), repeat=m) if len(set(f)) == 2]
    counts = [list(Counter(f.tolist()).values()) for f in served]
    log_law = [sum(hausdorff_log_weight(np.array(n)) + gammaln(n + 1) for n in both) for both in counts]
    law = np.exp(log_law) / np.exp(log_law).sum()
    joined = has_centre(np.array([[[f, g] for g in served] for f in served]), 2)
    assert centre_probability_hausdorff(m) == pytest.approx(law @ joined @ law, rel=1e-12)


@pytest.mark.parametrize("m", [8, 20])
def test_the_hausdorff_probability_by_sampling(m):
    """Independent implementation: the sampler, within a 99.99 % interval."""
    labels = sample_minima(0, 20_000, m, 2).labels.reshape(10_000, 2, m)
    interval = clopper_pearson(int(has_centre(labels, 2).sum()), 10_000, 0.9999)
    assert interval.lower <= centre_probability_hausdorff(m) <= interval.upper


@pytest.mark.parametrize(("M", "k"), [(2, 2), (3, 2), (4, 2), (2, 3), (2, 4), (8, 2)])
def test_the_published_bound_holds_exactly_for_independent_labels(M, k):
    """Closed form, from m = kM to where the bound is near 1; even with the exponent m in place of m - kM."""
    for m in range(k * M, 12 * M**k, max(1, M**k // 2)):
        assert centre_probability_iid(m, M, k) >= 1 - M * Fraction(M**k - 1, M**k) ** m >= centre_bound(m, M, k)


def test_disjoint_rows():
    """Independent implementation: all pairs of subsets."""
    pairs = list(itertools.product(itertools.combinations(range(6), 2), itertools.combinations(range(6), 3)))
    apart = sum(not set(a) & set(b) for a, b in pairs)
    assert disjoint_probability(6, 2, 3) == Fraction(apart, len(pairs))


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
def test_intervals_cover(p):
    """Closed form: the exact coverage of the interval, summed over the binomial law, is at least the confidence."""
    n = 60
    covered = sum(binom.pmf(s, n, p) for s in range(n + 1) if (i := clopper_pearson(s, n, 0.95)).lower <= p <= i.upper)
    assert covered >= 0.95


def test_exact_tails():
    """Independent implementation: scipy's binomial law."""
    for s in (0, 3, 20):
        assert float(lower_tail(s, 20, Fraction(1, 3))) == pytest.approx(binom.cdf(s, 20, 1 / 3), rel=1e-12)


def test_bad_input_is_refused():
    """By construction."""
    with pytest.raises(InputError, match="exponent"):
        centre_bound(3, 2, 2)
    with pytest.raises(InputError, match="m >= M"):
        centre_probability_iid(1, 2)
    with pytest.raises(InputError, match="clopper_pearson"):
        clopper_pearson(3, 2)
    for m, M, k in ((1, 0, 2), (1, -1, 2), (3, 1, 0)):
        for law in (centre_bound, centre_probability_iid):
            with pytest.raises(InputError, match="k, M >= 1"):
                law(m, M, k)
    for m in (1, 0, -3):
        with pytest.raises(InputError, match="m >= M = 2"):
            centre_probability_hausdorff(m)
    for sets in ((0, 0, 0), (2, 3, 0), (2, 0, 3), (3, -1, 1), (-1, 0, 0)):
        with pytest.raises(InputError, match="disjoint_probability"):
            disjoint_probability(*sets)
