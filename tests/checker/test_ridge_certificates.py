"""Certificates of ridge-regularised optima: true ones are accepted, each false statement or spoilt evidence is not."""

from __future__ import annotations

import copy
import json
import random
from fractions import Fraction
from typing import Any

import pytest

from modeconn.regularised import (
    certify_gap,
    certify_minimum_norm,
    certify_optimal_set,
    certify_path,
    connect_optima,
    descent_path,
    minimum_norm_interpolators,
    optimal_set,
    orthant_dual,
    planted_optimal_set,
    ridge_gap,
    three_component_problem,
)
from modeconn.topology import Neuron, problem_from_json, problem_to_json
from proofs_check.checker import ProblemError, check_certificate

FOUND = optimal_set(three_component_problem("1/10"))
PROBLEM = problem_to_json(FOUND.problem)
CORNERS = planted_optimal_set(*orthant_dual([3, 4]), [1, 0, 0, 1])


def plain(certificate: dict[str, Any]) -> dict[str, Any]:
    """As read from a file."""
    return json.loads(json.dumps(certificate))


def changed(certificate: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy with one entry replaced; ``to`` may be a function of the old one."""
    found = plain(certificate)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to(place[path[-1]]) if callable(to) else to
    return found


def nudged(text: str) -> str:
    return str(Fraction(text) + Fraction(1, 10**15))


def lowered(text: str) -> str:
    return str(Fraction(text) - Fraction(1, 10**15))


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_optimal_sets(width: int) -> None:
    """Certificate; then every number of the statement off by one, at every width."""
    certificate = plain(certify_optimal_set(FOUND, width))
    answer = check_certificate(certificate, PROBLEM)
    assert answer.accepted, answer.reason
    for name in ("smallest_support", "largest_support", "components", "isolated"):
        for step in (1, -1):
            wrong = changed(certificate, "statement", name, to=lambda v, step=step: v + step)
            assert not check_certificate(wrong, PROBLEM).accepted
    assert not check_certificate(changed(certificate, "statement", "value", to=nudged), PROBLEM).accepted


def test_optimal_sets_with_spoilt_evidence() -> None:
    """By construction: another nu, a missing cone, a multiplier off, a negative one, a row that is not there."""
    certificate = plain(certify_optimal_set(FOUND, 2))
    spoilt = [
        (("evidence", "nu", 0), lowered),
        (("evidence", "nu"), lambda nu: [str(Fraction(v) / 2) for v in nu]),
        (("evidence", "slopes"), lambda slopes: slopes[1:]),
        (("evidence", "slopes", 0, "s"), 0),
        (("evidence", "slopes", 0, "pattern"), [1, 2]),
        (("evidence", "slopes", 0, "mu"), [[5, "1"]]),
        (("evidence", "slopes", 0, "mu"), [[0, "-1"]]),
        (("evidence", "slopes", 0, "mu"), [[0, 0.5]]),
    ]
    for path, to in spoilt:
        assert not check_certificate(changed(certificate, *path, to=to), PROBLEM).accepted, path
    other = {**PROBLEM, "y": ["-1", "1"]}
    assert "not the dual optimum" in check_certificate(certificate, other).reason


def test_a_long_slope_that_is_no_projection_is_not_taken_for_a_tight_one() -> None:
    """By construction: |p| = beta by multipliers that are too large, where the projection is shorter."""
    problem = {"X": [["1"], ["-1"]], "y": ["3", "1"], "ridge": "2"}
    found = optimal_set(problem_from_json(problem))
    assert found.is_exact
    certificate = plain(certify_optimal_set(found, 1))
    assert check_certificate(certificate, problem).accepted
    slopes = certificate["evidence"]["slopes"]
    k = next(k for k, s in enumerate(slopes) if s["pattern"] == [1, -1] and s["s"] == -1)
    # p = -2 + mu_1 with D = (1, 0): 0 at mu = 2, and 2 = beta at mu = 4
    wrong = changed(certificate, "evidence", "slopes", k, "mu", to=[[0, "4"]])
    assert "not the projection" in check_certificate(wrong, problem).reason


@pytest.mark.parametrize("seed", range(3))
def test_gaps(seed: int) -> None:
    """Certificate; then ends moved past the truth, a spoilt net, a longer nu."""
    rng = random.Random(seed)
    data = {
        "X": [[rng.randint(-5, 5) for _ in range(2)] for _ in range(4)],
        "y": [rng.randint(-5, 5) for _ in range(4)],
        "ridge": "1/2",
    }
    problem = problem_from_json(data)
    gap = ridge_gap(problem)
    certificate = plain(certify_gap(gap))
    assert check_certificate(certificate, data).accepted
    assert not check_certificate(changed(certificate, "statement", "lower", to=str(gap.upper + 1)), data).accepted
    assert not check_certificate(changed(certificate, "statement", "lower", to=nudged), data).accepted
    assert not check_certificate(changed(certificate, "statement", "upper", to=str(gap.lower - 1)), data).accepted
    assert not check_certificate(changed(certificate, "statement", "width", to=lambda m: m + 1), data).accepted
    doubled = changed(certificate, "evidence", "nu", to=lambda nu: [str(2 * Fraction(v)) for v in nu])
    assert "longer than beta" in check_certificate(doubled, data).reason
    smaller = {**data, "ridge": "1/3"}
    assert not check_certificate(certificate, smaller).accepted
    for other in ({**data, "ridge": 0}, {**data, "output_weights": "fixed"}):
        with pytest.raises(ProblemError):
            check_certificate(certificate, other)


def test_a_negative_multiplier_cannot_shorten_a_slope() -> None:
    """By construction: nu = (3, 0) is not feasible at beta = 2, |nu . relu(X)| = 3 at u = 1; mu = -1 would hide it."""
    problem = {"X": [["1"], ["-1"]], "y": ["3", "1"], "ridge": "2"}
    zero = [{"u": ["0"], "s": 1}]
    slopes = [{"pattern": p, "s": s, "mu": []} for p in ([1, -1], [-1, 1]) for s in (1, -1)]
    for nu, mu, accepted in ((["2", "0"], [], True), (["3", "0"], [], False), (["3", "0"], [[0, "-1"]], False)):
        slopes[0]["mu"] = mu
        slopes[1]["mu"] = [[0, nu[0]]]
        certificate = {
            "format": "modeconn.certificate/1",
            "kind": "ridge-gap",
            "statement": {"width": 1, "lower": "0", "upper": "5"},
            "evidence": {"nu": nu, "slopes": slopes, "net": zero},
        }
        assert check_certificate(plain(certificate), problem).accepted == accepted


def test_paths() -> None:
    """Certificate; then a rise too small, an end that is not there, a neuron that turns, a value too low."""
    one, two = (CORNERS.vertex_net(v) for v in CORNERS.vertices)
    zero = (Neuron((Fraction(0),) * 2, 1),) * 2
    problem = problem_to_json(CORNERS.problem)
    certificate = plain(certify_path(connect_optima(CORNERS, one + zero, zero + two)))
    assert certificate["statement"]["rise"] == "0"
    assert check_certificate(certificate, problem).accepted
    assert not check_certificate(changed(certificate, "statement", "value", to=lowered), problem).accepted
    assert not check_certificate(changed(certificate, "statement", "rise", to="-1"), problem).accepted
    for end in ("start", "end"):
        wrong = changed(certificate, "statement", end, 0, "u", 0, to=lambda v: str(Fraction(v) + 1))
        assert not check_certificate(wrong, problem).accepted
    turned = copy.deepcopy(certificate)
    for neuron in turned["evidence"]["points"][1]:
        neuron["u"] = neuron["u"][::-1]
    assert "direction or sign" in check_certificate(turned, problem).reason


def test_a_path_that_climbs_is_refused() -> None:
    """By construction: a descent walked backwards rises by what it fell."""
    problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"})
    wrong = Neuron((Fraction(2),), -1)
    path = descent_path(problem, (wrong, wrong, wrong))
    certificate = plain(certify_path(path))
    data = problem_to_json(problem)
    assert check_certificate(certificate, data).accepted
    backwards = copy.deepcopy(certificate)
    backwards["evidence"]["points"].reverse()
    statement = backwards["statement"]
    statement["start"], statement["end"], statement["value"] = statement["end"], statement["start"], "1000"
    assert "may rise" in check_certificate(backwards, data).reason
    assert check_certificate(changed(backwards, "statement", "rise", to="1000"), data).accepted


def test_least_norms() -> None:
    """Certificate; then a norm too small or too large, equal nets, a point that does not separate them, other data."""
    both = minimum_norm_interpolators(FOUND)
    certificate, data = plain(certify_minimum_norm(both)), problem_to_json(both.problem)
    assert check_certificate(certificate, data).accepted
    for to in (nudged, lowered):
        assert not check_certificate(changed(certificate, "statement", "norm", to=to), data).accepted
    same = changed(certificate, "statement", "nets", to=lambda nets: [nets[0], nets[0]])
    assert "same prediction" in check_certificate(same, data).reason
    assert not check_certificate(changed(certificate, "evidence", "x", to=lambda x: ["0"] * len(x)), data).accepted
    assert "interpolate" in check_certificate(certificate, {**data, "y": ["1", "1"]}).reason
