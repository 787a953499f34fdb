"""Paths with many pieces: they consist of minima, and lie between the bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.star import (
    Minima,
    geodesic_ratio_bounds,
    many_piece_path,
    path_certificate,
    path_problem,
    path_ratio,
    sample_minima,
    weights,
)
from proofs_check.checker import check_certificate


def ends(seed, m, M, law="simplex", r=0.25):
    both = sample_minima(seed, 2, m, M, labels="iid", magnitudes=law, zero_probability=r)
    return Minima(both.labels[0], both.magnitudes[0]), Minima(both.labels[1], both.magnitudes[1])


@pytest.mark.parametrize(("law", "M"), [("simplex", 2), ("equal", 2), ("pareto-1.5", 3)])
def test_every_piece_consists_of_minima_and_more_pieces_are_shorter(law, M):
    """Certificate: the checker accepts the path; theory: between the spider bound and the two-piece path."""
    first, second = ends(1, 60, M, law)
    lower, upper = (float(bound[0]) for bound in geodesic_ratio_bounds(first, second))
    path = many_piece_path(first, second, 6)
    assert len(path) == 7
    assert check_certificate(path_certificate(path, M), path_problem(first, second, M)).accepted
    assert lower <= path_ratio(path) < upper


def test_crossing_at_even_times_closes_most_of_the_gap():
    """Theory: the neurons of the spider bound cross 0 at a/(a + b) of the way; crossing all at once costs far more."""
    first, second = ends(4, 400, 2)
    lower, upper = (float(bound[0]) for bound in geodesic_ratio_bounds(first, second))
    assert path_ratio(many_piece_path(first, second, 8)) - lower < 0.25 * (upper - lower)


def test_two_pieces_are_the_closed_form():
    """Closed form: the two-piece centre of least squares; both are minima of one program up to idle places."""
    first, second = ends(2, 80, 2, r=0.0)
    bound = float(geodesic_ratio_bounds(first, second).upper[0])
    assert 0.98 * bound < path_ratio(many_piece_path(first, second, 2)) <= bound * (1 + 1e-6)


def test_the_ratio_is_that_of_the_weights_rounded_up():
    """Independent implementation: lengths of the weight matrices."""
    path = many_piece_path(*ends(3, 40, 2), 5)
    W = np.stack([weights(corner, 2) for corner in path])
    length = np.sqrt((np.diff(W, axis=0) ** 2).sum((1, 2))).sum()
    assert path_ratio(path) == pytest.approx(length / np.sqrt(((W[-1] - W[0]) ** 2).sum()), rel=1e-12)


def test_a_close_pair_is_told_from_a_far_one():
    """By construction: a swap without room has no path of this form; a straight pair has ratio 1."""
    one, other = Minima(np.array([1, 2]), np.ones(2)), Minima(np.array([2, 1]), np.ones(2))
    assert many_piece_path(one, other) is None
    near = (
        Minima(np.array([1, 2, 1]), np.array([0.5, 1.0, 0.5])),
        Minima(np.array([1, 2, 1]), np.array([0.25, 1, 0.75])),
    )
    assert path_ratio(many_piece_path(*near, 4)) == pytest.approx(1.0, abs=1e-6)


def test_bad_input_is_refused():
    """By construction."""
    first, second = ends(0, 20, 2)
    with pytest.raises(InputError, match="at least 2 pieces"):
        many_piece_path(first, second, 1)
    with pytest.raises(InputError, match="linearly connected"):
        path_ratio([first, second])
    with pytest.raises(InputError, match="equal ones"):
        path_ratio([first, first])
    assert math.isfinite(path_ratio(many_piece_path(first, second, 3)))
