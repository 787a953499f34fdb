"""The one-step inequality of statement L2 for Lion, in exact arithmetic, and its controls."""

import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.exact.hamiltonian import hamiltonian_constants, hamiltonian_step, is_smooth
from proofs_check.exact.linear import is_positive_semidefinite
from proofs_check.exact.lion_k import LionKState, Quadratic, exact_matrix, lion_k_step
from proofs_check.exact.potentials import exact_potential
from proofs_check.exact.rational import ExactInputError

UNIT = st.integers(-6, 6).map(lambda k: Fraction(k, 6))
SMALL = st.integers(-12, 12).map(lambda k: Fraction(k, 4))
PART = st.integers(1, 19).map(lambda k: Fraction(k, 20))


def draw_case(rng, b1_above_b2=False):
    """A random step of two coordinates, with Gershgorin's bound for L_s."""
    a, b, c = (Fraction(rng.randint(-6, 6), rng.randint(1, 4)) for _ in range(3))
    F = Quadratic.of([[a, b], [b, c]], [Fraction(rng.randint(-8, 8), 4) for _ in range(2)])
    lam = Fraction(rng.randint(1, 8), 4)
    b1, b2 = sorted(rng.sample(range(1, 20), 2), reverse=b1_above_b2)
    return {
        "x": [Fraction(rng.randint(-6, 6), 6) / lam for _ in range(2)],
        "momentum": [Fraction(rng.randint(-12, 12), 4) for _ in range(2)],
        "objective": F,
        "smoothness": max(abs(a), abs(c)) + abs(b),
        "learning_rate": Fraction(rng.randint(1, 10), 20),
        "weight_decay": lam,
        "b1": Fraction(b1, 20),
        "b2": Fraction(b2, 20),
    }


@given(st.lists(UNIT, min_size=2, max_size=2), st.lists(SMALL, min_size=7, max_size=7), PART, PART, PART, PART)
def test_the_inequality_holds(corner, numbers, eps, lam, b1, b2):
    """Oracle: statement L2, for b1 < b2 and for b1 > b2; D1 and D2 are not negative."""
    a, b, c, p, q, m0, m1 = numbers
    F, smoothness = Quadratic.of([[a, b], [b, c]], [p, q]), max(abs(a), abs(c)) + abs(b)
    assert is_smooth(F, smoothness)
    if b1 == b2:
        return
    step = hamiltonian_step([v / lam for v in corner], [m0, m1], F, smoothness, eps, lam, b1, b2)
    assert step.d1 >= 0
    assert step.d2 >= 0
    assert step.margin >= 0
    if b1 < b2:
        assert step.descent_margin >= 0


def test_the_inequality_is_sharp():
    """Oracle: with m = 0 and Q = L_s I both estimates of the proof (smoothness, convexity of K) are equalities."""
    rng = random.Random(0)
    for _ in range(50):
        case = draw_case(rng)
        case |= {"objective": Quadratic.of([[2, 0], [0, 2]], [1, -3]), "smoothness": 2, "momentum": [0, 0]}
        assert hamiltonian_step(**case).margin == 0


def violations(change, descent=False, b1_above_b2=False, count=400):
    """The number of violated inequalities among random cases, after a change of the constants."""
    rng, found = random.Random(1), 0
    for _ in range(count):
        case = draw_case(rng, b1_above_b2)
        constants = hamiltonian_constants(*(case[key] for key in ("learning_rate", "weight_decay", "b1", "b2")))
        step = hamiltonian_step(**case, constants=change(constants))
        found += (step.descent_margin if descent else step.margin) < 0
    return found


def test_controls_are_refuted():
    """Oracle: the controls of L2 must fail: wrong b, wrong c, wrong a, descent for b1 > b2; the statement must not."""
    assert violations(lambda k: k) == violations(lambda k: k, descent=True) == 0
    assert violations(lambda k: k, b1_above_b2=True) == 0
    assert violations(lambda k: k._replace(b=2 * k.b)) > 0
    assert violations(lambda k: k._replace(c=k.c / 2)) > 0
    assert violations(lambda k: k._replace(a=2 * k.a)) > 0
    assert violations(lambda k: k, descent=True, b1_above_b2=True) > 0


def test_the_step_is_the_implicit_lion_step():
    """Oracle: independent implementation, lion_k_step with the sign of the momentum turned."""
    rng = random.Random(2)
    for _ in range(50):
        case = draw_case(rng)
        step = hamiltonian_step(**case)
        state = LionKState(exact_matrix(case["x"]), exact_matrix([-v for v in case["momentum"]]))
        gradient = exact_matrix(case["objective"].gradient(case["x"]))
        rates = [case[key] for key in ("learning_rate", "weight_decay", "b1", "b2")]
        other = lion_k_step(state, gradient, exact_potential("l1"), *rates, decay="implicit")
        assert list(other.x[0]) == step.x
        assert [-v for v in other.momentum[0]] == step.momentum


@given(st.lists(st.integers(-2, 2), min_size=6, max_size=6))
def test_semidefinite_agrees_with_principal_minors(entries):
    """Oracle: independent criterion, all principal minors of a symmetric 3 x 3 matrix are at least 0."""
    a, b, c, d, e, f = map(Fraction, entries)
    A = [[a, b, c], [b, d, e], [c, e, f]]

    def minor(rows):
        if not rows:
            return Fraction(1)
        sub = [[A[i][j] for j in rows] for i in rows]
        if len(rows) == 1:
            return sub[0][0]
        if len(rows) == 2:
            return sub[0][0] * sub[1][1] - sub[0][1] ** 2
        return a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)

    chosen = [[i for i in range(3) if keep[i]] for keep in product([0, 1], repeat=3)]
    assert is_positive_semidefinite(A) == all(minor(rows) >= 0 for rows in chosen)


def test_bad_input_is_named():
    """Oracle: by construction."""
    F = Quadratic.of([[1]], [0])
    with pytest.raises(ExactInputError, match="x: expected weight_decay"):
        hamiltonian_step([2], [0], F, 1, 1, 1, "0.9", "0.99")
    with pytest.raises(ExactInputError, match="learning_rate > 0"):
        hamiltonian_step([0], [0], F, 1, 0, 1, "0.9", "0.99")
    with pytest.raises(ExactInputError, match="b1 != b2"):
        hamiltonian_step([0], [0], F, 1, 1, 1, "0.9", "0.9")
