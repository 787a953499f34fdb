"""Exact Lion-K steps: potentials, trajectories and distances to the ball."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.exact.interval import Interval, enclosure
from proofs_check.exact.lion_k import (
    LionKState,
    Quadratic,
    distance_to_ball,
    exact_matrix,
    lion_k_step,
    lion_k_trajectory,
    squared_distance_to_ball,
)
from proofs_check.exact.potentials import EXACT_POTENTIALS, exact_potential
from proofs_check.exact.rational import ExactInputError

SMALL = st.integers(-12, 12).map(lambda k: Fraction(k, 4))
RATE = st.integers(1, 10).map(lambda k: Fraction(k, 10))
WEIGHT = st.integers(0, 10).map(lambda k: Fraction(k, 10))


def matrices(rows, columns):
    """Small rational matrices; zero rows and rank one occur."""
    return st.tuples(*[st.tuples(*[SMALL] * columns)] * rows)


def inner(x, y):
    """The Frobenius inner product, as an interval."""
    total = Interval.point(0)
    for row, other in zip(x, y, strict=True):
        for a, b in zip(row, other, strict=True):
            total = total + enclosure(a) * b
    return total


@pytest.mark.parametrize("name", sorted(EXACT_POTENTIALS))
@settings(max_examples=40)
@given(x=matrices(2, 2), y=matrices(2, 2))
def test_gradient_is_a_subgradient(name, x, y):
    """Oracle: the definition, K(y) >= K(x) + <gradK(x), y - x>; K(0) = 0; no interval may contradict it."""
    K = exact_potential(name, threshold="1/2")
    slope = K.gradient(x)
    rise = enclosure(K.value(y)) - K.value(x)
    gap = tuple(tuple(b - a for a, b in zip(*rows, strict=True)) for rows in zip(x, y, strict=True))
    assert inner(slope, gap).is_at_most(rise) is not False
    zero = exact_matrix([[0, 0], [0, 0]])
    assert K.value(zero) == 0
    assert K.gradient(zero) == zero


@pytest.mark.parametrize("name", ["l1", "frobenius", "sum_row", "sum_column", "nuclear"])
@settings(max_examples=40)
@given(x=matrices(2, 2))
def test_norms_satisfy_euler_and_have_gradients_in_the_ball(name, x):
    """Oracle: Euler's identity K(x) = <gradK(x), x>; the gradient has dual norm at most 1."""
    K = exact_potential(name)
    slope = K.gradient(x)
    difference = inner(slope, x) - K.value(x)
    assert difference.contains(0)
    assert difference.width < Fraction(1, 2**100)
    values = np.array([[float(enclosure(entry).lower) for entry in row] for row in slope])
    dual = {
        "linf": np.abs(values).max(),
        "l2": np.linalg.norm(values),
        "max_row": np.linalg.norm(values, axis=1).max(),
        "max_column": np.linalg.norm(values, axis=0).max(),
        "spectral": np.linalg.norm(values, 2),
    }[K.ball]
    assert dual <= 1 + 1e-12


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (2, 2)])
def test_nuclear_is_the_polar_factor(shape):
    """Oracle: independent implementation, the singular value decomposition."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        G = rng.normal(size=shape)
        K = exact_potential("nuclear")
        U, S, Vt = np.linalg.svd(G, full_matrices=False)
        found = [[float(enclosure(entry).lower) for entry in row] for row in K.gradient(exact_matrix(G))]
        np.testing.assert_allclose(found, U @ Vt, atol=1e-13)
        assert float(enclosure(K.value(exact_matrix(G))).lower) == pytest.approx(S.sum(), rel=1e-14)


def test_an_interval_around_a_kink_gives_all_subgradients():
    """Oracle: by hand."""
    x = ((Interval(Fraction(-1), Fraction(1)),),)
    for name in ("l1", "huber_l1"):
        slope = exact_potential(name).gradient(x)[0][0]
        assert (slope.lower, slope.upper) == (-1, 1)
    slope = exact_potential("soft_l1", "1/2").gradient(x)[0][0]
    assert slope.contains(1)
    assert slope.contains(-1)


def floating_run(x, gradients, slope, eps, lam, b1, b2, decay):
    """The update rule of the theory in float64."""
    m = np.zeros_like(x)
    for g in gradients:
        g = g + lam * x if decay == "coupled" else g
        s = slope(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
        x = {
            "explicit": (1 - eps * lam) * x - eps * s,
            "implicit": (x - eps * s) / (1 + eps * lam),
            "coupled": x - eps * s,
        }[decay]
    return x


@pytest.mark.parametrize("decay", ["explicit", "implicit", "coupled"])
@pytest.mark.parametrize("name", ["l1", "frobenius"])
def test_trajectory_agrees_with_floats(name, decay):
    """Oracle: independent implementation in float64; the interval run contains the exact run."""
    rng = np.random.default_rng(3)
    x, gradients = rng.normal(size=4), rng.normal(size=(30, 4))
    slope = {"l1": np.sign, "frobenius": lambda v: v / np.linalg.norm(v)}[name]
    rates = {"learning_rate": 0.1, "weight_decay": 0.5, "b1": 0.9, "b2": 0.99}
    expected = floating_run(x, gradients, slope, *rates.values(), decay)
    wide = lion_k_trajectory(x, list(gradients), exact_potential(name), **rates, decay=decay, bits=96)[-1].x[0]
    np.testing.assert_allclose([float(entry.lower) for entry in wide], expected, rtol=1e-12)
    assert max(entry.width for entry in wide) < Fraction(1, 2**60)
    exact = lion_k_trajectory(x, list(gradients)[:6], exact_potential("l1"), **rates, decay=decay)
    again = lion_k_trajectory(x, list(gradients)[:6], exact_potential("l1"), **rates, decay=decay, bits=96)
    for state, around in zip(exact, again, strict=True):
        assert all(b.contains(a) for a, b in zip(state.x[0], around.x[0], strict=True))


@given(st.lists(matrices(1, 2), min_size=1, max_size=4), matrices(1, 2), RATE, RATE, WEIGHT, WEIGHT)
def test_the_distance_to_the_box_contracts(gradients, x0, eps, lam, b1, b2):
    """Oracle: statement L1 for l1, squared and exact: dist(lam x')**2 <= (1 - eps lam)**2 dist(lam x)**2."""
    states = lion_k_trajectory(x0, gradients, exact_potential("l1"), eps, lam, b1, b2)
    squares = [squared_distance_to_ball(state.x, 1 / lam, "linf") for state in states]
    for before, after in pairwise(squares):
        assert after <= (1 - eps * lam) ** 2 * before


@given(st.lists(matrices(1, 2), min_size=1, max_size=3), matrices(1, 2), RATE, RATE)
def test_the_distance_to_the_disc_contracts(gradients, x0, eps, lam):
    """Oracle: statement L1 for the Frobenius potential, by intervals that never contradict it."""
    states = lion_k_trajectory(x0, gradients, exact_potential("frobenius"), eps, lam, "0.9", "0.99", "implicit")
    gaps = [enclosure(distance_to_ball(state.x, 1 / lam, "l2")) for state in states]
    for before, after in pairwise(gaps):
        assert after.is_at_most(before / (1 + eps * lam)) is not False


def test_coupled_decay_violates_the_contraction():
    """Oracle: by hand. From x = 2 with gradient -1 and lam = 1/4, g + lam x = -1/2, so x grows by eps."""
    states = lion_k_trajectory([6], [[-2]], exact_potential("l1"), "1/10", "1/4", decay="coupled")
    before, after = (squared_distance_to_ball(state.x, Fraction(4), "linf") for state in states)
    assert (before, after) == (4, Fraction(441, 100))


@given(matrices(1, 3), matrices(1, 3), matrices(1, 3), RATE, RATE, WEIGHT, WEIGHT)
def test_a_step_is_a_frank_wolfe_step(x, m, g, eps, lam, b1, b2):
    """Oracle: statement L5, x' = (1 - gamma) x + gamma LMO(c) with gamma = eps lam and LMO(c) = -sign(c) / lam."""
    step = lion_k_step(LionKState(x, m), g, exact_potential("l1"), eps, lam, b1, b2)
    gamma = eps * lam
    for new, old, a, b in zip(step.x[0], x[0], m[0], g[0], strict=True):
        c = b1 * a + (1 - b1) * b
        corner = Fraction((c < 0) - (c > 0)) / lam
        assert new == (1 - gamma) * old + gamma * corner


def test_quadratic_supplies_the_gradients():
    """Oracle: the same run with the gradients written out."""
    F = Quadratic.of([[2, "1/2"], ["1/2", 1]], [1, -1])
    K = exact_potential("huber_l1", "1/4")
    states = lion_k_trajectory([1, 1], F, K, "1/8", "1/2", "1/2", "3/4", steps=5)
    again = lion_k_trajectory(
        [1, 1], [F.gradient(state.x[0]) for state in states[:-1]], K, ["1/8"] * 5, "1/2", "1/2", "3/4"
    )
    assert states == again


@given(matrices(2, 2), st.fractions(min_value=0, max_value=2, max_denominator=4))
def test_distances_agree_with_projections(x, radius):
    """Oracle: independent implementation, projection in float64."""
    values = np.array(x, dtype=float)
    clipped = np.clip(values, -float(radius), float(radius))
    size = np.linalg.norm(values)
    scaled = values * min(1.0, float(radius) / size) if size else values
    assert float(squared_distance_to_ball(x, radius, "linf")) == pytest.approx(
        ((values - clipped) ** 2).sum(), abs=1e-12
    )
    near = enclosure(squared_distance_to_ball(x, radius, "l2"))
    assert float(near.lower) == pytest.approx(((values - scaled) ** 2).sum(), abs=1e-9)


BAD = [
    (lambda: exact_potential("l3"), "potential"),
    (lambda: exact_potential("soft_l1", 0), "threshold"),
    (lambda: exact_potential("nuclear").gradient(exact_matrix([[1, 0, 0], [0, 1, 0]])), "nuclear"),
    (lambda: lion_k_trajectory([1], [[1, 2]], exact_potential("l1"), 1), "gradient"),
    (lambda: lion_k_trajectory([1], [[1]], exact_potential("l1"), 1, decay="none"), "decay"),
    (lambda: lion_k_trajectory([1], [[1]], exact_potential("l1"), 1, steps=2), "steps"),
    (lambda: lion_k_trajectory([1], Quadratic.of([[1]], [0]), exact_potential("l1"), 1), "steps"),
    (lambda: lion_k_trajectory([1], [[1]] * 2, exact_potential("l1"), [1]), "learning_rate"),
    (lambda: squared_distance_to_ball(exact_matrix([1]), Fraction(1), "l3"), "ball"),
    (lambda: Quadratic.of([[1, 2], [3, 4]], [0, 0]), "Q"),
]


@pytest.mark.parametrize(("call", "words"), BAD, ids=[f"{k}-{words}" for k, (_, words) in enumerate(BAD)])
def test_bad_input_is_named(call, words):
    """Oracle: by construction."""
    with pytest.raises(ExactInputError, match=f"^{words}"):
        call()
