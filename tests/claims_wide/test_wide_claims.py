"""The claims about wide nets hold on a short trial, their controls fall, and sabotage is noticed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from modeconn.capacity import type_system
from modeconn.constructions import Functionals, reduction
from modeconn.paths import barrier_exact
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.draws import draw
from proofs_check.claims.library import w1, w2, w3, w4, w_boxes, w_cases
from proofs_check.claims.library.w_boxes import box_bound, hull_vectors, least_hull_distance
from proofs_check.claims.library.w_exact import (
    exact,
    is_bounded_by,
    largest_eigenvalue_above,
    largest_eigenvalue_below,
    loss_of,
    sums_of,
    trace,
)
from proofs_check.claims.trial import evaluate

SHORT = Profile("short", instances=12, block=12, searched=4, shrink=4, polish=0, hint="")
CONTROLS = {"W1": 6, "W1B": 2, "W2": 5, "W3": 4, "W4": 4}


@pytest.fixture
def no_memory():
    """Paths that a test spoils must neither come from other tests nor stay."""
    caches = (w_cases._join, w3._wide_enough, w4._connection, w_boxes._distance)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def short_trial(claim_id, **changes):
    """The result of a short trial without controls."""
    (result,) = verify_claims([replace(CLAIMS[claim_id], controls=(), **changes)], SHORT).claims
    return result


@pytest.mark.parametrize("claim_id", list(CONTROLS))
def test_a_wide_claim_holds_and_its_controls_fall(claim_id):
    """Theory: the statement is true, every control false, by exact margins; all paths accepted by the checker."""
    (result,) = verify_claims([CLAIMS[claim_id]], SHORT).claims
    assert (result.errors, result.reason) == ((), "")
    assert result.verdict == ("not refuted" if claim_id == "W2" else "certified")
    assert result.trial.applicable >= 10
    assert (result.trial.rounding, result.trial.unconfirmed) == (0, 0)
    assert len(result.controls) == CONTROLS[claim_id]
    for control in result.controls:
        found = control.trial.pursuit.candidate
        assert found.margin_exact is not None
        assert evaluate(CLAIMS[claim_id].control(control.id), found.instance).margin == Fraction(found.margin_exact)


def test_a_level_said_to_be_lower_is_rejected(monkeypatch, no_memory):
    """Sabotage: the level of the path is understated by a millionth."""
    honest = w_cases.connect_pair

    def lying(pair, construction):
        found = honest(pair, construction)
        return replace(found, level=found.level * Fraction(999999, 10**6))

    monkeypatch.setattr(w_cases, "connect_pair", lying)
    result = short_trial("W1", shapes=((3, 2, 1),))
    assert result.verdict == "undecided"
    assert "gram-path certificate rejected" in result.errors[0]


def test_a_reduction_that_moves_the_gram_matrix_is_noticed(monkeypatch, no_memory):
    """Sabotage: traces in place of Gram matrices; the path leaves the ball and is not returned."""
    monkeypatch.setattr(reduction, "functionals_of", lambda region: Functionals("trace", "trace"))
    spectral = lambda shape: w_cases.wide_pairs(shape, regions=("spectral",), routes=("disjoint-slots",))  # noqa: E731
    result = short_trial("W1", instances=spectral, shapes=((2, 2, 2),))
    assert result.verdict == "undecided"
    assert "radius slack" in result.errors[0]


def test_a_distance_said_to_be_larger_refutes_the_bound(monkeypatch, no_memory):
    """Sabotage: delta a hundred times what it is, and the patterns not counted, at the honest width."""
    honest = w3._bound_of

    def lying(instance):
        found = honest(instance)
        return None if found is None else (found[0], found[1]._replace(patterns=0, ratio=found[1].ratio / 100))

    monkeypatch.setattr(w3, "_bound_of", lying)
    result = short_trial("W3", shapes=((2, 2),))
    assert result.verdict == "refuted"
    assert Fraction(result.trial.pursuit.candidate.margin_exact) < 0


def test_an_ignored_width_is_an_error(monkeypatch, no_memory):
    """Sabotage: the pairs are one neuron narrower than the construction needs."""
    monkeypatch.setitem(w_cases.ROUTES, "edge-walk", -2)
    narrow = lambda shape: w_cases.wide_pairs(shape, ("spectral",), ("edge-walk",), ("plain",), (False,))  # noqa: E731
    result = short_trial("W1", instances=narrow, shapes=((3, 3, 1),))
    assert result.verdict == "undecided"
    assert "needs a width of up to N + 1" in result.errors[0]


def test_a_shared_slot_is_refused_for_its_reason():
    """By construction: the checker sees a base changed while alive (W1) and a neuron on two sides (W4)."""
    seen = []
    control = CLAIMS["W1"].control("missing-dead-slot")
    draw(control.instances((2, 2, 2)), 8, 0, seen.append)
    refused = [evaluate(control, i) for i in seen]
    assert any("changes its base without passing through 0" in outcome.detail["checker"] for outcome in refused)
    seen.clear()
    control = CLAIMS["W4"].control("shared-slot")
    draw(control.instances((2, 1, 2)), 4, 0, seen.append)
    assert all(evaluate(control, i).margin < 0 for i in seen)


@pytest.mark.parametrize(("claim_id", "control_id"), [("W1", "one-neuron-fewer"), ("W1B", "two-neurons-fewer")])
def test_the_barrier_of_an_exchange_is_known(claim_id, control_id):
    """Closed form: one of two points is left without a neuron on the way, so the barrier is min(y)^2 / 2."""
    control, seen = CLAIMS[claim_id].control(control_id), []
    draw(control.instances(control.shapes[0]), 12, 1, seen.append)
    for instance in seen:
        least = min(y for (y,) in instance["Y"])
        assert evaluate(control, instance).margin == -Fraction(least**2, 2)


def test_the_straight_segment_agrees_with_the_exact_barrier():
    """Independent implementation: the segment's maximum from modeconn.paths is at least that of the eight steps."""
    seen = []
    draw(w_cases.wide_pairs((3, 2, 1), biases=(False,)), 20, 2, seen.append)
    for instance in seen:
        pair = w_cases.pair_of(instance)
        level, highest = w1.highest_on_segment(pair)
        found = barrier_exact(*w_cases.nets_of(instance), pair.X, pair.Y, baseline="endpoint_max")
        assert float(found.max_loss) >= float(highest) * (1 - 1e-12)
        assert max(float(found.loss_start), float(found.loss_end)) == pytest.approx(float(level), rel=1e-12)


def test_exact_sums_agree_with_floats():
    """Independent implementation: NumPy, on weights in eighths, where floats are exact."""
    rng = np.random.default_rng(0)
    W, A, X, Y = (rng.integers(-8, 9, size) / 8 for size in ((2, 5), (3, 5), (4, 2), (4, 3)))
    t = rng.integers(0, 5, 5) / 4
    found = sums_of(exact(W), exact(A), exact(X), [Fraction(v) for v in t.tolist()])
    F = (np.maximum(X @ W, 0) * t) @ A.T
    assert np.array(found.prediction, float) == pytest.approx(F, abs=1e-15)
    assert np.array(found.hidden, float) == pytest.approx((W * t) @ W.T, abs=1e-15)
    assert np.array(found.output, float) == pytest.approx((A * t) @ A.T, abs=1e-15)
    assert float(loss_of(found.prediction, exact(Y))) == pytest.approx(0.5 * ((F - Y) ** 2).sum(), rel=1e-14)


@pytest.mark.parametrize("seed", range(8))
def test_the_largest_eigenvalue_is_enclosed(seed):
    """Independent implementation: LAPACK; singular matrices and multiples of I included."""
    rng = np.random.default_rng(seed)
    W = np.eye(3) if seed == 0 else rng.integers(-3, 4, (3, 1 + seed % 4))
    G = exact(W @ W.T)
    low, high = largest_eigenvalue_below(G), largest_eigenvalue_above(G)
    value = np.linalg.eigvalsh(W @ W.T)[-1]
    assert float(low) == pytest.approx(value, rel=1e-13)
    assert low <= high <= low + trace(G) * Fraction(1, 2**38)
    assert is_bounded_by(G, high)
    assert not is_bounded_by(G, high * Fraction(999, 1000))


def test_the_schatten_norm_is_enclosed():
    """Closed form: diagonal W with entries 4 and 9 has singular values 4 and 9."""
    G = exact([[16, 0], [0, 81]])
    assert w1._schatten_power(G, Fraction(1)) == 13
    assert float(w1._schatten_power(G, Fraction(3, 2))) == pytest.approx(8 + 27, rel=1e-14)


def test_the_stable_rank_margin_is_exact_at_its_ends():
    """Closed form: srank of diag(4, 1) is 5 / 4, of I it is 2."""
    plain, even = exact([[4, 0], [0, 1]]), exact([[1, 0], [0, 1]])
    assert float(w2.stable_rank_below(plain)) == pytest.approx(1.25, rel=1e-11)
    assert w2.stable_rank_margin([even, plain], Fraction(5, 4)) > 0
    assert w2.stable_rank_margin([even, plain], Fraction(2)) < -Fraction(1, 4)


def brute_distance(vectors):
    """The least positive distance of 0 from a hull, over all sets of vectors of the plane."""
    V = np.array(vectors, float)
    best = np.inf
    for size in range(1, len(V) + 1):
        for chosen in itertools.combinations(range(len(V)), size):
            L = V[list(chosen)]
            inside = linprog(np.zeros(size), A_eq=np.vstack([L.T, np.ones(size)]), b_eq=[0, 0, 1], method="highs")
            if inside.status == 0:
                continue
            for a, b in itertools.product(L, L):
                move = b - a
                s = np.clip(-(a @ move) / (move @ move), 0, 1) if move.any() else 0.0
                best = min(best, float(np.linalg.norm(a + s * move)))
    return best


@pytest.mark.parametrize("seed", range(10))
def test_delta_agrees_with_all_subsets(seed):
    """Independent implementation: every subset, 0 in its hull decided by HiGHS, distances to all chords."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(-4 if seed % 2 else 1, 5, (2 + seed // 2, 2))  # every other time in one quadrant
    vectors = [tuple(map(Fraction, v)) for v in drawn.tolist() if any(v)]
    assert float(least_hull_distance(vectors)) ** 0.5 == pytest.approx(brute_distance(vectors), rel=1e-12)


def test_delta_of_one_and_two_points():
    """Closed form: B1 B2 |x| for one point; p q / |(p, q)| B1 B2 for two points p and -q on a line."""
    one = box_bound({"X": [[3]], "y": ["2"], "B1": "2", "B2": "1"}, Fraction(1, 2))
    assert (one.square, one.patterns, one.ratio) == (36, 2, Fraction(3, 6))
    two = box_bound({"X": [[3], [-4]], "y": ["0", "0"], "B1": "1", "B2": "1"}, Fraction(2))
    assert two.square == Fraction(12, 5) ** 2
    assert two.ratio == Fraction(2) / Fraction(12, 5)


def test_vertices_of_cells_are_those_of_a_square():
    """By hand: X = I has four quadrants; the square in each has the corners (1, 1), (1, 0), (0, 1) up to sign."""
    vectors = hull_vectors(type_system([[1, 0], [0, 1]], [0, 0]), Fraction(1))
    expected = {(p, q) for p in (-1, 0, 1) for q in (-1, 0, 1) if (p or q) and p * q >= 0}
    assert set(vectors) == expected


def test_instances_reach_what_is_degenerate():
    """By construction: zero and equal rows, dead neurons, W of rank one, a bias, equal nets up to order, outputs."""
    seen = []
    draw(w_cases.wide_pairs((4, 2, 2)), 120, 3, seen.append)
    pairs = [w_cases.pair_of(instance) for instance in seen]
    assert any(not row.any() for pair in pairs for row in pair.X)
    assert any(len(np.unique(pair.X, axis=0)) < 4 for pair in pairs)
    assert any((~pair.W0.any(0)).any() for pair in pairs)
    assert any(np.linalg.matrix_rank(pair.W0) == 1 for pair in pairs)
    assert any(pair.has_bias for pair in pairs)
    assert any(sorted(pair.W0.T.tolist()) == sorted(pair.W1.T.tolist()) for pair in pairs)
    assert {instance["region"] for instance in seen} == set(w_cases.REGIONS)
    assert {instance["route"] for instance in seen} == set(w_cases.ROUTES)


def test_functionals_agree_with_the_constructions():
    """Independent implementation: the count of the theory against the number of rows the reduction keeps."""
    seen = []
    draw(w_cases.wide_pairs((3, 2, 2), routes=("auto",), biases=(False,)), 30, 4, seen.append)
    for instance in seen:
        assert w_cases.join(instance).found.functionals == w_cases.functionals((3, 2, 2), instance["region"])
