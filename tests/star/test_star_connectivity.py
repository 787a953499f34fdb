"""Criteria and constructions: against matchings, searches over all labellings, and the checker."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.star import (
    Minima,
    are_linearly_connected,
    common_centre,
    four_piece_path,
    has_centre,
    is_two_piece_connected,
    path_certificate,
    path_problem,
    places,
    sample_minima,
    two_piece_centre,
    two_piece_path,
)
from proofs_check.checker import check_certificate
from proofs_check.claims.library.g_minima import has_matching


def labellings(m, M):
    """All labels of minima."""
    found = np.array(list(itertools.product(range(M + 1), repeat=m)))
    return found[np.all([(found == j).any(1) for j in range(1, M + 1)], axis=0)]


def accepted(corners, d):
    return check_certificate(path_certificate(corners, d), path_problem(corners[0], corners[-1], d)).accepted


def unit(labels):
    """A minimum with these labels, equal shares rounded to the grid by the sampler's rule."""
    from modeconn.star import dyadic_magnitudes

    labels = np.asarray(labels)
    return Minima(labels, dyadic_magnitudes(labels[None], np.ones((1, len(labels))), labels.max())[0])


@pytest.mark.parametrize(("m", "M", "k"), [(5, 2, 2), (6, 3, 2), (5, 2, 3), (9, 4, 2)])
def test_the_count_is_the_matching(m, M, k):
    """Independent implementation: scipy's maximum bipartite matching."""
    labels = sample_minima(0, 300 * k, m, M, labels="iid", zero_probability=0.5).labels.reshape(300, k, m)
    expected = [has_matching(feet, M) for feet in labels]
    assert 0 < sum(expected) < 300
    np.testing.assert_array_equal(has_centre(labels, M), expected)
    assert [common_centre(feet, M) is not None for feet in labels] == expected


@pytest.mark.parametrize(("m", "M"), [(2, 1), (3, 2), (4, 2)])
def test_two_pieces_by_trying_every_minimum_between(m, M):
    """Independent implementation: all labellings as centres."""
    nodes = labellings(m, M)
    joined = are_linearly_connected(nodes[:, None], nodes[None])
    np.testing.assert_array_equal(
        is_two_piece_connected(
            *np.broadcast_arrays(nodes[:, None], nodes[None]),
            M,
        ),
        joined @ joined,
    )


@pytest.mark.parametrize(("m", "M"), [(1, 1), (3, 2), (4, 2), (5, 3)])
def test_four_pieces_always_suffice_and_are_found(m, M):
    """Independent implementation: the graph of all labellings has diameter at most 4; the checker accepts paths."""
    nodes = labellings(m, M)
    step = are_linearly_connected(nodes[:, None], nodes[None])
    two = (step.astype(np.float32) @ step.astype(np.float32)) > 0
    assert ((two.astype(np.float32) @ two.astype(np.float32)) > 0).all()
    rng = np.random.default_rng(0)
    for i, j in rng.integers(len(nodes), size=(40, 2)):
        assert accepted(four_piece_path(unit(nodes[i]), unit(nodes[j])), M)


def test_four_pieces_between_derangements_without_spare_neurons():
    """Certificate: every pair of permutations on the same M places at m = 2M - 1, where merging has no choice."""
    for M in (2, 3, 4):
        for second in itertools.permutations(range(1, M + 1)):
            first = unit([*range(1, M + 1), *[0] * (M - 1)])
            assert accepted(four_piece_path(first, unit([*second, *[0] * (M - 1)])), M)


def test_the_width_of_four_pieces_is_sharp():
    """Independent implementation: at m = 2M - 2 the graph of all labellings is disconnected or too long."""
    for m, M in ((2, 2), (4, 3)):
        nodes = labellings(m, M)
        step = are_linearly_connected(nodes[:, None], nodes[None]).astype(np.float32)
        assert not (np.linalg.matrix_power(step, 4) > 0).all()


def test_constructed_paths_are_accepted_and_spoilt_ones_are_not():
    """Certificate; by construction."""
    minima = sample_minima(0, 40, 14, 2)
    pairs = [[Minima(part[0][i], part[1][i]) for i in (k, k + 1)] for k, part in ((k, minima) for k in range(0, 40, 2))]
    paths = [path for first, second in pairs if (path := two_piece_path(first, second))]
    assert len(paths) > 10
    for first, centre, second in paths:
        assert accepted([first, centre, second], 3)
        assert not accepted([first, second], 3)
        spoilt = Minima(centre.labels, centre.magnitudes / 2)
        assert not accepted([first, spoilt, second], 3)


@pytest.mark.parametrize(("M", "k"), [(1, 2), (2, 3), (3, 3), (2, 5)])
def test_a_centre_two_pieces_away(M, k):
    """Certificate, at the least width kM, for minima with few and with all neurons active."""
    for law in ("bounded", "hausdorff"):
        feet = sample_minima(k, k, k * M, M, labels=law)
        centre, corners = two_piece_centre(feet.labels, M)
        for i, corner in enumerate(corners):
            assert accepted([Minima(feet.labels[i], feet.magnitudes[i]), corner, centre], M)


def test_a_hundred_thousand_pairs_are_decided_fast():
    """By construction: two-piece and star criteria for 1e5 pairs (M = 4, m = 64), far below ten seconds."""
    labels = sample_minima(0, 200_000, 64, 4, labels="iid").labels.reshape(100_000, 2, 64)
    start = time.process_time()
    joined = has_centre(labels, 4)
    assert time.process_time() - start < 8
    assert 0.9 < joined.mean() < 0.97


def test_bad_input_is_refused():
    """By construction."""
    first, second = unit([1, 2]), unit([2, 1])
    with pytest.raises(InputError, match="widen both with zeros"):
        four_piece_path(first, second)
    with pytest.raises(InputError, match="one width"):
        two_piece_path(first, unit([1, 2, 0]))
    with pytest.raises(InputError, match="same teachers"):
        two_piece_path(first, unit([1, 1]))
    with pytest.raises(InputError, match="k M = 6"):
        two_piece_centre(np.array([[1, 2]] * 3), 2)
    with pytest.raises(InputError, match="0 is a zero neuron"):
        places(np.array([[1, 3]]), 2)


@pytest.mark.parametrize("lengths", [[np.nan, 1.0], [np.inf, 1.0], [-1.0, 1.0], [0.5, 1.0], [0.0, 1.0], [1.0]])
@pytest.mark.parametrize("path", [two_piece_path, four_piece_path])
def test_ends_that_are_no_minima_are_refused(path, lengths):
    """By construction: magnitudes that are not finite, negative, do not add up to 1, or are missing."""
    good, bad = unit([1, 2, 0]), Minima(np.array([1, 2, 0]), np.array([*lengths, 0.0]))
    for ends in ((good, bad), (bad, good)):
        with pytest.raises(InputError):
            path(*ends)
