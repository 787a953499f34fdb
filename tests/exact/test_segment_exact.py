"""Exact segment losses and rigorous barriers against a direct computation in fractions."""

import math
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.exact.piecewise import GRID_BITS, _bound12, segment_loss
from proofs_check.exact.polynomial import Polynomial, bernstein_coefficients, is_at_most
from proofs_check.exact.rational import ExactInputError
from proofs_check.exact.segment import BASELINES, baseline_line, polyline_enclosure, segment_enclosure

SHAPES = [(1, 1, 1, 1), (3, 1, 2, 1), (4, 2, 3, 1), (3, 2, 2, 2)]
"""(n, d, m, c)"""


def direct_loss(net0, net1, X, Y, t):
    """Half the squared error of the interpolated net, from its definition, in fractions."""

    def mix(a, b):
        return [mix(x, y) for x, y in zip(a, b, strict=True)] if isinstance(a, list) else (1 - t) * a + t * b

    W, A, b = (mix(p, q) for p, q in zip(net0, net1, strict=True))
    value = Fraction(0)
    for x, target in zip(X, Y, strict=True):
        hidden = [max(sum(x[k] * W[k][j] for k in range(len(x))) + b[j], Fraction(0)) for j in range(len(b))]
        for row, y in zip(A, target, strict=True):
            value += (sum(p * h for p, h in zip(row, hidden, strict=True)) - y) ** 2
    return value / 2


def crossings(net0, net1, X):
    """All t in (0, 1) at which a pre-activation vanishes, and the ends."""
    found = {Fraction(0), Fraction(1)}
    for x in X:
        for j in range(len(net0[2])):
            u, v = (sum(x[k] * net[0][k][j] for k in range(len(x))) + net[2][j] for net in (net0, net1))
            if u * v < 0:
                found.add(u / (u - v))
    return sorted(found)


def interpolated(value, a, b):
    """The quartic through five points of [a, b] (Lagrange)."""
    points = [a + (b - a) * Fraction(k, 4) for k in range(5)]
    p = Polynomial([])
    for k, t in enumerate(points):
        term = Polynomial([value(t)])
        for s in points[:k] + points[k + 1 :]:
            term = term * Polynomial([-s / (t - s), 1 / (t - s)])
        p = p + term
    return p


INTEGERS = st.integers(-3, 3)
RATIONALS = st.tuples(INTEGERS, st.sampled_from([1, 1, 2, 7])).map(lambda pair: Fraction(*pair))


@st.composite
def problems(draw, numbers=INTEGERS):
    """Two small nets and data: integers make ties, zero pre-activations and dead neurons common."""
    n, d, m, c = draw(st.sampled_from(SHAPES))
    entry = numbers.map(Fraction)

    def matrix(rows, columns):
        return draw(st.lists(st.lists(entry, min_size=columns, max_size=columns), min_size=rows, max_size=rows))

    nets = [(matrix(d, m), matrix(c, m), matrix(1, m)[0]) for _ in range(2)]
    return (*nets, matrix(n, d), matrix(n, c))


@st.composite
def chains(draw):
    """Three nets on the data of the first two."""
    net0, net1, X, Y = draw(problems(RATIONALS))
    entry = RATIONALS
    shape = [[[draw(entry) for _ in row] for row in matrix] for matrix in net0[:2]]
    return [net0, net1, (*shape, [draw(entry) for _ in net0[2]])], X, Y


@given(problems(RATIONALS))
def test_pieces_are_the_quartics_of_the_definition(problem):
    """Oracle: independent implementation, Lagrange interpolation of the definition between all sign changes."""
    loss = segment_loss(*problem)
    pieces = list(loss.pieces())
    knots = crossings(*problem[:3])
    assert [Fraction(*piece.start) for piece in pieces] + [Fraction(1)] == knots
    for piece, (a, b) in zip(pieces, pairwise(knots), strict=True):
        expected = interpolated(lambda t: direct_loss(*problem, t), a, b)
        assert Polynomial(Fraction(c, loss.scale) for c in piece.coefficients) == expected
        assert piece.low <= a * 2**GRID_BITS < piece.low + 1
        assert piece.high - 1 <= b * 2**GRID_BITS <= piece.high


@given(problems(RATIONALS), st.sampled_from(BASELINES), st.sampled_from([1, 2**10, 2**40]))
def test_enclosure_holds_the_maximum(problem, baseline, fineness):
    """Oracle: independent implementation of the loss; upper end decided on interpolated quartics, lower evaluated."""
    tolerance = Fraction(1, fineness)
    found = segment_enclosure(*problem, baseline=baseline, tolerance=tolerance)

    def loss(t):
        return direct_loss(*problem, t)

    assert (found.loss_start, found.loss_end) == (loss(Fraction(0)), loss(Fraction(1)))
    line = baseline_line(baseline, found.loss_start, found.loss_end)
    assert found.lower == loss(found.t_lower) - line[0] - line[1] * found.t_lower
    assert found.max_loss_lower == loss(found.t_max_loss)
    assert found.lower <= found.upper <= found.lower + tolerance
    assert found.max_loss_lower <= found.max_loss_upper <= found.max_loss_lower + tolerance
    for a, b in pairwise(crossings(*problem[:3])):
        quartic = interpolated(loss, a, b)
        assert is_at_most(quartic - Polynomial(line), found.upper, a, b)
        assert is_at_most(quartic, found.max_loss_upper, a, b)


@settings(max_examples=40)
@given(problems(RATIONALS), st.sampled_from(BASELINES), st.booleans())
def test_equal_output_weights_put_the_maximum_at_a_breakpoint(problem, baseline, fixed):
    """Oracle: convexity. Then f is affine between breakpoints and the loss minus a line convex: no width is left."""
    (W0, A, b0), (W1, _, b1), X, Y = problem
    if fixed:
        A, Y = [[Fraction(1)] * len(b0)], [row[:1] for row in Y]
    nets = (W0, None if fixed else A, b0), (W1, None if fixed else A, b1)
    found = segment_enclosure(*nets, X, Y, baseline=baseline)
    knots = crossings((W0, A, b0), (W1, A, b1), X)
    values = [direct_loss((W0, A, b0), (W1, A, b1), X, Y, t) for t in knots]
    line = baseline_line(baseline, values[0], values[-1])
    largest = max(value - line[0] - line[1] * t for value, t in zip(values, knots, strict=True))
    assert found.lower == found.upper == largest
    assert found.max_loss_lower == found.max_loss_upper == max(values)


@settings(max_examples=30)
@given(problems(st.floats(-2, 2)), st.lists(st.floats(), max_size=3))
def test_proposals_change_nothing_that_is_certified(problem, guesses):
    """Oracle: two runs must overlap, whatever the guesses are, NaN included."""
    plain, guided = segment_enclosure(*problem), segment_enclosure(*problem, proposals=guesses)
    assert plain.lower <= guided.upper
    assert guided.lower <= plain.upper
    assert guided.upper - guided.lower <= Fraction(1, 2**40)


@pytest.mark.parametrize("gap", [Fraction(1, 10**40), -Fraction(1, 10**40), Fraction(0)])
def test_breakpoints_closer_than_the_grid_are_ordered_exactly(gap):
    """Oracle: by construction, neurons that switch off at t = 1/3 and t = 1/3 + gap, far below the grid of 2**-64."""
    knots = [Fraction(1, 3), Fraction(1, 3) + gap]
    nets = ([knots], None, None), ([[knot - 1 for knot in knots]], None, None)
    pieces = list(segment_loss(*nets, [[1]], [0]).pieces())
    assert [Fraction(*piece.start) for piece in pieces] == [0, *sorted(set(knots))]
    found = segment_enclosure(*nets, [[1]], [0])
    assert found.loss_start == sum(knots) ** 2 / 2 == found.max_loss_lower
    assert found.max_loss_upper - found.max_loss_lower <= Fraction(1, 2**40)


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=4), st.integers(1, 50), *[st.integers(0, 2**GRID_BITS)] * 2)
def test_the_integer_bound_is_the_largest_bernstein_coefficient(lower, lead, low, width):
    """Oracle: independent implementation in fractions."""
    unit, coefficients = 2**GRID_BITS, [*lower, lead]
    bounds = bernstein_coefficients(Polynomial(coefficients), Fraction(low, unit), Fraction(low + width, unit))
    assert _bound12(*coefficients, low, width) == 12 * unit**4 * max(bounds)


def test_closed_form_of_one_neuron():
    """Oracle: closed form. relu((2 - 4t)) against 1: (2 - 4t - 1)**2 / 2 until t = 1/2, then 1/2 constant."""
    problem = ([[2]], None, None), ([[-2]], None, None), [[1]], [1]
    loss = segment_loss(*problem)
    assert [loss(Fraction(k, 4)) for k in range(5)] == [
        Fraction(1, 2),
        0,
        Fraction(1, 2),
        Fraction(1, 2),
        Fraction(1, 2),
    ]
    found = segment_enclosure(*problem)
    assert (found.lower, found.upper, found.max_loss_lower) == (0, 0, Fraction(1, 2))


def test_closed_form_of_a_swap():
    """Oracle: closed form. Two teachers in swapped order: at t = 1/2 both neurons are (1/2, 1/2).

    On x = (1, 0), (0, 1), (1, -1), (-1, 1) with y = 1 the residuals at t = 1/2 are 0, 0, -1, -1: loss 1, the largest.
    """
    eye, swap = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
    data = [[1, 0], [0, 1], [1, -1], [-1, 1]]
    found = segment_enclosure((eye, None, None), (swap, None, None), data, [1, 1, 1, 1])
    assert (found.loss_start, found.loss_end) == (0, 0)
    assert (found.lower, found.upper, found.t_lower) == (1, 1, Fraction(1, 2))


def test_irrational_maximiser():
    """Oracle: closed form. One linear neuron, a(t) w(t) = (1 + 2t)(3 - 2t) up to 1: the loss is (a w - 1)**2 / 2.

    The product peaks at t = 1/2 with 4, so the largest loss is 9/2; subtracting the line gives an irrational maximiser.
    """
    start, end = ([[3]], [1], None), ([[1]], [2], None)
    found = segment_enclosure(start, end, [[1]], [1])
    product = Polynomial([3, -2]) * Polynomial([1, 1])
    gap = (product - 1) * (product - 1) * Fraction(1, 2) - Polynomial([2, Fraction(1, 2) - 2])
    assert is_at_most(gap, found.upper, Fraction(0), Fraction(1))
    assert gap(found.t_lower) == found.lower
    assert 0 < found.upper - found.lower <= Fraction(1, 2**40)
    assert found.t_lower.denominator <= 2**128


@settings(max_examples=60)
@given(chains(), st.sampled_from(BASELINES))
def test_polyline_enclosure_holds_the_maximum(chain, baseline):
    """Oracle: independent implementation of the loss on each leg; upper ends decided on interpolated quartics."""
    nets, X, Y = chain
    legs = list(pairwise(nets))
    tolerance = Fraction(1, 2**10)
    found = polyline_enclosure(nets, X, Y, baseline=baseline, tolerance=tolerance)
    line = baseline_line(baseline, found.loss_start, found.loss_end)

    def loss(t):
        k = min(int(t * len(legs)), len(legs) - 1)
        return direct_loss(*legs[k], X, Y, t * len(legs) - k)

    assert (found.loss_start, found.loss_end) == (loss(Fraction(0)), loss(Fraction(1)))
    assert found.lower == loss(found.t_lower) - line[0] - line[1] * found.t_lower
    assert found.max_loss_lower == loss(found.t_max_loss)
    assert found.upper - found.lower <= tolerance
    assert found.max_loss_upper - found.max_loss_lower <= tolerance
    for k, leg in enumerate(legs):
        for a, b in pairwise((k + s) / len(legs) for s in crossings(*leg, X)):
            quartic = interpolated(lambda t, k=k, leg=leg: direct_loss(*leg, X, Y, t * len(legs) - k), a, b)
            assert is_at_most(quartic - Polynomial(line), found.upper, a, b)
            assert is_at_most(quartic, found.max_loss_upper, a, b)


def test_an_upper_bound_found_on_an_early_leg_is_kept():
    """Oracle: closed form. On the first leg f = (3 - 5t/2)(1 + t) peaks at t = 1/10, no dyadic; the second rests."""
    nets = [([[3]], [1], None), ([["1/2"]], [2], None), ([["1/2"]], [2], None)]
    whole = polyline_enclosure(nets, [[1]], [0], tolerance=Fraction(1, 100))
    peak = (Fraction(11, 4) * Fraction(11, 10)) ** 2 / 2
    assert whole.max_loss_lower < peak <= whole.max_loss_upper


def test_polyline_with_linear_baseline():
    """Oracle: closed form. Weights 1, 3, 2 on y = 1: losses 0, 2, 1/2; at t = 1/2 the gap is 2 - 1/4."""
    nets = [([[w]], None, None) for w in (1, 3, 2)]
    found = polyline_enclosure(nets, [[1]], [1])
    assert (found.lower, found.t_lower, found.loss_end) == (Fraction(7, 4), Fraction(1, 2), Fraction(1, 2))


def trained_pair(n, d, m, seed):
    """A teacher, its neurons in another order and slightly moved, with noisy targets."""
    rng = np.random.default_rng(seed)
    W, A, b = rng.normal(size=(d, m)) / np.sqrt(d), rng.normal(size=(1, m)), rng.normal(size=m)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ W + b, 0) @ A.T + 0.1 * rng.normal(size=(n, 1))
    order = rng.permutation(m)
    return (W, A, b), (W[:, order] + 0.01 * rng.normal(size=(d, m)), A[:, order], b[order]), X, Y


def test_floats_in_double_precision_agree():
    """Oracle: independent implementation in float64 on a grid of 10,001 points, never above the exact maximum."""
    (W0, A0, b0), (W1, A1, b1), X, Y = problem = trained_pair(60, 5, 6, seed=1)
    found = segment_enclosure(*problem, baseline="endpoint_max")
    t = np.linspace(0, 1, 10_001)[:, None, None]
    hidden = np.maximum((1 - t) * (X @ W0 + b0) + t * (X @ W1 + b1), 0)
    grid = 0.5 * ((np.einsum("tnm,tm->tn", hidden, ((1 - t) * A0 + t * A1)[:, 0]) - Y[:, 0]) ** 2).sum(axis=1)
    assert grid.max() <= float(found.max_loss_upper) * (1 + 1e-12)
    assert grid.max() == pytest.approx(float(found.max_loss_lower), rel=1e-5)


def test_thousands_of_breakpoints_take_seconds():
    """Oracle: the stated cost; 16,000 pairs of data and neuron. The limit is loose so that a busy machine passes."""
    problem = trained_pair(250, 10, 64, seed=0)
    begin = time.process_time()
    found = segment_enclosure(*problem)
    assert time.process_time() - begin < 20
    assert 0 < found.upper - found.lower <= Fraction(1, 2**40) or found.lower == found.upper > 0


def test_extreme_scales_are_exact():
    """Oracle: closed form, losses (w - 1)**2 / 2 for weights from 1e-300 to 1e300."""
    for w in (1e-300, 5e-324, 1e300):
        found = segment_enclosure(([[w]], None, None), ([[0.0]], None, None), [[1]], [1], baseline="endpoint_max")
        assert found.loss_start == (Fraction(w) - 1) ** 2 / 2
        assert found.lower == found.upper == 0


NET = ([[1, 2]], [[1, 1]], [0, 0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((NET, NET, [[1], [math.nan]], [0, 0]), "X"),
        ((NET, NET, [[1], [2, 3]], [0, 0]), "X"),
        ((NET, NET, [[1, 2]], [0]), "net0.W"),
        ((NET, NET, [[1]], [0, 0]), "Y"),
        ((NET, NET, [[1], [2], [3]], [[0, 0, 0]]), "Y"),
        ((NET, NET, [[1]], [[0, 0]]), "Y"),
        ((NET, NET, [], []), "X"),
        ((NET, ([[1]], [[1]], [0]), [[1]], [0]), "nets"),
        (([[], None, None], NET, [[1]], [0]), "net0.W"),
        (([[[]], None, None], NET, [[1]], [0]), "net0.W"),
        ((NET, ([[1, 2]], [[1]], [0, 0]), [[1]], [0]), "net1.A"),
        ((NET, ([[1, 2]], None, [0]), [[1]], [0]), "net1.b"),
        ((NET, ([[1, 2]], None), [[1]], [0]), "net1"),
        ((NET, None, [[1]], [0]), "net1"),
        ((NET, ([[1, "two"]], None, None), [[1]], [0]), "net1.W"),
        ((NET, NET, [[1]], [0], "lineal"), "baseline"),
        ((NET, NET, [[1]], [0], "linear", 0), "tolerance"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, words):
    """Oracle: by construction."""
    with pytest.raises(ExactInputError, match=f"^{words}") as caught:
        segment_enclosure(*arguments)
    assert "\n" not in str(caught.value)
