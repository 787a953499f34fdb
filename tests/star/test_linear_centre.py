"""Centres and paths of minima of linear nets, every one decided by the exact core."""

import math
from fractions import Fraction

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.star import (
    antipode,
    chain_defect,
    end_to_end,
    exact_matrix,
    exact_net,
    last_layer,
    linear_path,
    linear_star_centre,
    matrix_rank,
    products_independent,
    random_layer,
    sample_linear_minimum,
    sufficient_widths,
)
from proofs_check.checker import check_certificate
from proofs_check.exact.linear_net import chain_error

CASES = [
    (2, 2, 1, 1, 1),
    (3, 2, 1, 1, 1),
    (3, 3, 1, 2, 1),
    (4, 2, 3, 1, 1),
    (2, 2, 2, 2, 2),
    (2, 2, 2, 2, 1),
    (3, 2, 3, 2, 1),
    (2, 3, 2, 3, 0),
    (2, 4, 1, 1, 1),
]
"""(depth L, minima r, d, c, rank of Q)."""


def rows(matrix):
    return [[Fraction(x) for x in row] for row in matrix.tolist()]


def exact_error(knots, Q):
    """The largest deviation from Q at L + 1 points of each piece, by the deciding core."""
    return chain_error([[rows(layer) for layer in net] for net in knots], rows(Q))


def target(rng, c, d, rank):
    """An integer matrix of exactly this rank."""
    while True:
        Q = exact_matrix([[0] * d for _ in range(c)])
        for _ in range(rank):
            Q = Q + random_layer(rng, c, 1, exact=True) @ random_layer(rng, 1, d, exact=True)
        if np.linalg.matrix_rank(Q.astype(float)) == rank:
            return Q


def as_floats(net):
    return tuple(layer.astype(float) for layer in net)


def minima(L, r, d, c, rank, seed, spare=0):
    rng = np.random.default_rng([L, r, d, c, rank, seed])
    Q = target(rng, c, d, rank)
    widths = [max(m + spare, 1) for m in sufficient_widths(L, (c, d), rank, r)]
    return [sample_linear_minimum(rng, Q, widths) for _ in range(r)], Q


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_centre_at_exactly_the_sufficient_widths(case, seed):
    """Theorem, by the exact core: all segments compute Q at L + 1 points each, hence identically."""
    feet, Q = minima(*case, seed)
    assert products_independent(feet, Q)
    centre = linear_star_centre(feet, Q)
    assert centre.defect == 0
    assert all(exact_error([foot, centre.net], Q) == 0 for foot in feet)
    assert any((B != A).any() for B, A in zip(centre.net, feet[0], strict=True)) or case[-1] == 0


@pytest.mark.parametrize("case", [case for case in CASES if case[-1]], ids=str)
def test_floats_find_a_centre_too(case):
    """Independent numbers: least squares in float64, measured through the Bernstein coefficients."""
    feet, Q = minima(*case, 3)
    centre = linear_star_centre([as_floats(foot) for foot in feet], Q.astype(float))
    assert 0 <= centre.defect < 1e-6 * abs(Q).max()


def test_large_float_nets():
    """By construction: 5 minima of depth 4 with 8 inputs and outputs at width 256, where 128 suffice."""
    rng = np.random.default_rng(0)
    Q = rng.normal(size=(8, 8))
    feet = [sample_linear_minimum(rng, Q, (256,) * 3) for _ in range(5)]
    assert linear_star_centre(feet, Q).defect < 1e-10


@pytest.mark.parametrize(("L", "r"), [(2, 2), (3, 2), (2, 3)])
def test_the_equations_have_no_solution_one_neuron_below(L, r):
    """Theorem: r (L-1) + 1 generic equations in one unknown fewer; with as many unknowns they have one."""
    for spare, solvable in ((-1, False), (0, True)):
        feet, Q = minima(L, r, 1, 1, 1, 5, spare)
        rng = np.random.default_rng(7)
        earlier = [random_layer(rng, *layer.shape, exact=True) for layer in feet[0][:-1]]
        last = last_layer(feet, Q, earlier, [math.comb(L, k) for k in range(L)])
        assert (last is not None) is solvable


def test_wrong_binomials_are_not_a_centre():
    """By construction: matching all coefficients to Q leaves S_1 = Q instead of 2 Q at depth 2."""
    feet, Q = minima(2, 2, 1, 1, 1, 0)
    earlier = [random_layer(np.random.default_rng(3), *feet[0][0].shape, exact=True)]
    last = last_layer(feet, Q, earlier, [1, 1])
    assert chain_defect([feet[0], (*earlier, last)], Q) == abs(Q[0, 0]) / 2


def test_only_the_span_of_the_data_counts():
    """Theorem on the restricted nets: one direction of four needs 3 neurons; off it the segment moves."""
    rng = np.random.default_rng(2)
    u = exact_matrix([[1], [2], [0], [-1]])
    Q = target(rng, 3, 4, 3)
    feet = []
    for _ in range(2):
        narrow = sample_linear_minimum(rng, Q @ u, (3,))
        first = random_layer(rng, 3, 4, exact=True)
        first[:, 0] = narrow[0][:, 0] - (first @ u)[:, 0] + first[:, 0]
        feet.append((first, narrow[1]))
    centre = linear_star_centre(feet, Q, directions=u)
    for foot in feet:
        between = tuple((A + B) * exact_matrix([["1/2"]])[0, 0] for A, B in zip(foot, centre.net, strict=True))
        assert (end_to_end(between) @ u == Q @ u).all()
        assert (end_to_end(between) != Q).any()


DEGENERATE = {
    "antipodal": lambda net: antipode(net),
    "one neuron": lambda net: exact_net([[[3]] + [[0]] * (len(net[0]) - 1), [["1/3"] + [0] * (len(net[0]) - 1)]]),
    "scaled": lambda net: (net[0] * 2, net[1] * exact_matrix([["1/2"]])[0, 0]),
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_three_pieces_join_what_two_need_not(kind):
    """Theorem, by the exact core, at width 2L - 1 = 3."""
    Q = exact_matrix([[1]])
    start = sample_linear_minimum(np.random.default_rng(4), Q, (3,))
    end = DEGENERATE[kind](start)
    found = linear_path(start, end, Q, pieces=3)
    assert found.pieces == 3
    assert exact_error(found.knots, Q) == 0
    assert found.knots[0] is start
    assert found.knots[-1] is end
    if kind == "antipodal":
        assert linear_path(start, end, Q, pieces=2) is None
        assert linear_path(start, end, Q).pieces == 3


def test_three_pieces_between_degenerate_minima_of_low_rank():
    """Theorem with W != 0, by the exact core: all layers of rank 1, c = d = 2, antipodal, L = 2."""
    Q = exact_matrix([[2, 0], [0, 0]])
    start = exact_net([[[1, 0], *[[0, 0]] * 3], [[2, 0, 0, 0], [0, 0, 0, 0]]])
    assert not products_independent([start, antipode(start)], Q)
    found = linear_path(start, antipode(start), Q)
    assert (found.pieces, exact_error(found.knots, Q)) == (3, 0)


def test_the_fewest_pieces_are_found():
    """By construction: one piece when one layer differs within its kernel, else two; zero has the origin."""
    Q = exact_matrix([[1]])
    one, other = (sample_linear_minimum(np.random.default_rng(seed), Q, (3,)) for seed in (1, 2))
    moved = (one[0], one[1] + random_layer(np.random.default_rng(0), 1, 3, True) * 0)
    assert linear_path(one, moved, Q).pieces == 1
    assert linear_path(one, other, Q).pieces == 2
    nothing = exact_matrix([[0]])
    ends = exact_net([[[0], [0], [0]], [[1, 2, 3]]]), exact_net([[[1], [1], [-2]], [[1, 1, 1]]])
    assert linear_path(*ends, nothing).pieces <= 2


def test_independence_is_decided_exactly():
    """By construction: equal, scaled and antipodal minima are dependent; one minimum never is."""
    feet, Q = minima(3, 2, 1, 1, 1, 0)
    assert products_independent(feet, Q)
    for other in (feet[0], (feet[0][0] * 2, feet[0][1] * exact_matrix([["1/2"]])[0, 0], feet[0][2])):
        assert products_independent([other], Q)
        assert not products_independent([feet[0], other], Q)


def test_dropped_widths_are_those_of_the_theorem():
    """Closed form: q (1 + r l) + r (min(c, d) - q), counted from the side with fewer columns."""
    assert sufficient_widths(4, (1, 1), 1, 2) == (3, 5, 7)
    assert sufficient_widths(4, (1, 9), 1, 2) == (7, 5, 3)
    assert sufficient_widths(2, (3, 3), 1, 2) == (7,)
    assert matrix_rank(exact_matrix([[1, 2], [2, 4]])) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda feet, Q: ([], Q), "at least one"),
        (lambda feet, Q: (feet, Q + 1), "expected a minimum"),
        (lambda feet, Q: ([feet[0], feet[1][::-1]], Q), "expected"),
        (lambda feet, Q: (feet, Q.astype(float)), "use exact_net"),
    ],
)
def test_feet_that_are_no_minima_are_refused(change, message):
    """By construction."""
    with pytest.raises(InputError, match=message):
        linear_star_centre(*change(*minima(2, 2, 1, 2, 1, 0)))


def test_a_path_has_one_to_three_pieces():
    """By construction."""
    feet, Q = minima(2, 2, 1, 1, 1, 0)
    with pytest.raises(InputError, match="1, 2 or 3"):
        linear_path(*feet, Q, pieces=4)


@pytest.mark.parametrize("place", ["points", "start", "Q"])
def test_products_beyond_the_range_of_floats_are_rejected_not_a_crash(place: str) -> None:
    """By construction: the product is far from Q, by a number that no float holds."""
    layers = {"start": [[["1"]], [["2"]]], "end": [[["1"]], [["2"]]], "Q": [["2"]], "points": [[["1"]], [["2"]]]}
    layers[place] = [["1e400"]] if place == "Q" else [[["1e400"]], [["2"]]]
    points = [layers.pop("points")]
    frame = {"format": "modeconn.certificate/1", "kind": "linear-path", "statement": {"pieces": 2}}
    found = check_certificate({**frame, "evidence": {"points": points}}, layers)
    assert not found.accepted
    assert "differs from Q" in found.reason
