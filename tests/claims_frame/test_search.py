"""The pursuit of a counterexample: smallest shape, largest violation, confirmed."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from hypothesis import strategies as st

from proofs_check.claims import PROFILES, Candidate, Hypothesis, Outcome, claims_by_id, load_claims
from proofs_check.claims.blocks import run_block
from proofs_check.claims.profiles import Block
from proofs_check.claims.search import polish, pursue

SYNTHETIC = claims_by_id(load_claims(Path(__file__).with_name("synthetic.py")))
CI = PROFILES["ci"]


def violation(claim, shape, count=100):
    return run_block(claim, Block(0, shape, count), 0).candidate


def test_dimensions_shrink_to_the_smallest_violating_shape():
    """Closed form: sum x <= 1 on [-1, 1]^n first fails at n = 2."""
    claim = SYNTHETIC["false"]
    start = violation(claim, (4,))
    found = pursue(claim, start, CI, 0)
    assert start.confirmed
    assert found.candidate.shape == (2,)
    assert found.candidate.confirmed
    assert Fraction(found.candidate.margin_exact) == 1 - sum(map(Fraction, found.candidate.instance["x"]))


def test_the_violation_is_maximised_not_shrunk_to_the_tolerance():
    """Closed form: the largest violation of sum x <= 1 on [-1, 1]^2 is 1; over several seeds most of it is found."""
    claim = SYNTHETIC["false"]
    start = Candidate(0, (2,), {"x": [0.5, 0.5000001]}, -1e-7, None, {}, True)
    for seed in range(4):
        assert pursue(claim, start, CI, seed).candidate.margin < -0.75


def test_nothing_larger_is_lost():
    """By construction: a pursuit never returns less than the confirmed violation it started from, at its shape."""
    claim = SYNTHETIC["false"]
    start = Candidate(0, (2,), {"x": [1.0, 1.0]}, -1.0, "-1", {}, True)
    found = pursue(claim, start, CI, 0)
    assert found.candidate.instance == {"x": [1.0, 1.0]}
    assert found.drawn is None


def test_polish_stays_in_the_range_and_on_the_grid_of_the_draws():
    """By construction: every checked value lies among quarter-integers of [-2, 2], or among the listed choices."""
    checked = []

    def check(instance):
        checked.append(instance)
        return Outcome(-Fraction(instance["x"]) * Fraction(instance["scale"]) - 10 * instance["n"])

    claim = replace(SYNTHETIC["false"], check=check)
    seen = [{"x": k / 4, "scale": (0.5, 2.0)[k % 2], "n": k} for k in range(-8, 9)]
    start = Candidate(0, (1,), {"x": 0.25, "scale": 0.5, "n": 1}, -10.125, "-81/8", {}, True)
    best = polish(claim, start, seen, 300, 0)
    assert best.instance == {"x": 2.0, "scale": 2.0, "n": 1}
    assert {i["scale"] for i in checked} == {0.5, 2.0}
    assert {i["n"] for i in checked} == {1}
    assert all(-2 <= i["x"] <= 2 and 4 * i["x"] == int(4 * i["x"]) for i in checked)


def test_polish_keeps_the_hypotheses_true():
    """Closed form: with x_1 + x_2 <= 1 as hypothesis the largest violation of sum x <= 1/2 is exactly 1/2."""
    bound = Hypothesis("sum x <= 1", lambda i: sum(map(Fraction, i["x"])) <= 1)
    claim = replace(SYNTHETIC["published"], hypotheses=[bound])
    start = Candidate(0, (2,), {"x": [0.75, 0.125]}, -0.375, "-3/8", {}, True)
    seen = [{"x": [k / 7, -k / 9]} for k in range(-7, 8)]
    best = polish(claim, start, seen, 300, 1)
    assert -0.5 <= best.margin < -0.45


def test_polish_that_nothing_confirms_is_dropped():
    """By construction: exact arithmetic dismisses every larger violation, so the drawn one stays."""
    claim = replace(SYNTHETIC["false"], check=lambda i: Outcome(-i["x"][0]), confirm=lambda i: i["x"][0] == 0.25)
    start = Candidate(0, (1,), {"x": [0.25]}, -0.25, None, {}, True)
    assert polish(claim, start, [{"x": [k / 7]} for k in range(8)], 100, 0) is start


def test_a_check_that_raises_on_perturbed_instances_ends_nothing():
    """By construction: only the drawn value can be checked."""

    def check(instance):
        if instance["x"] != [0.5]:
            raise ValueError("outside the domain")
        return Outcome(Fraction(-1))

    start = Candidate(0, (1,), {"x": [0.5]}, -1.0, "-1", {}, True)
    claim = replace(SYNTHETIC["false"], check=check)
    assert polish(claim, start, [{"x": [k / 7]} for k in range(8)], 50, 0) is start


def test_unconfirmed_violations_stay_unconfirmed():
    """By construction: confirm never decides, so the worst violation comes back as it was."""
    claim = SYNTHETIC["unconfirmed"]
    start = violation(claim, (2,))
    found = pursue(claim, start, CI, 0)
    assert start.confirmed is None
    assert found.candidate is start


def test_a_smaller_shape_can_confirm_what_a_larger_one_cannot():
    """By construction: exact arithmetic decides at n = 1 only."""
    claim = replace(SYNTHETIC["unconfirmed"], confirm=lambda i: True if len(i["x"]) == 1 else None, instances=positive)
    start = violation(claim, (4,))
    found = pursue(claim, start, CI, 0)
    assert start.confirmed is None
    assert (found.candidate.shape, found.candidate.confirmed) == ((1,), True)


def positive(shape):
    return st.fixed_dictionaries({"x": st.lists(st.floats(0, 1), min_size=shape[0], max_size=shape[0])})
