"""The claims on ridge-regularised optima hold on a short trial, their controls fall, sabotage is noticed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from modeconn.regularised import OptimalComponents
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.draws import draw
from proofs_check.claims.library import k_counts, k_problems
from proofs_check.claims.library.k_counts import counts_at
from proofs_check.claims.trial import evaluate

RIDGE = ["K1", "K2", "K3", "K4", "K5", "K5V"]
SHORT = Profile("short", instances=8, block=8, searched=0, shrink=4, polish=0, hint="")


@pytest.mark.parametrize("claim_id", RIDGE)
def test_a_claim_holds_and_its_controls_fall(claim_id: str) -> None:
    """Theory: the statement is true, every control false, by exact margins."""
    claim = CLAIMS[claim_id]
    (result,) = verify_claims([claim], SHORT).claims
    assert (result.errors, result.reason) == ((), "")
    assert result.verdict == ("not refuted" if claim_id == "K5V" else "certified")
    assert result.trial.applicable >= 4
    for control in result.controls:
        found = control.trial.pursuit.candidate
        assert found.margin_exact is not None
        assert evaluate(claim.control(control.id), found.instance).margin == Fraction(found.margin_exact)


def drawn(shape: tuple[int, ...], count: int = 30) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    draw(k_problems.planted_problems(shape), count, 3, found.append)
    return found


@pytest.mark.parametrize("shape", k_problems.SHAPES)
def test_instances_are_what_they_say(shape: tuple[int, ...]) -> None:
    """By construction: exact optima with the ridge and the number of tight directions that were asked for; zero fits,
    both signs of outputs, and more than one vertex (where features depend on each other) are reached."""
    found = [(instance, k_problems.optima_of(instance)) for instance in drawn(shape)]
    for instance, optima in found:
        assert k_problems.PLANTED.holds(instance)
        assert optima.is_exact
        assert len(optima.directions) == k_problems.TIGHT[shape]
        assert optima.problem.ridge == Fraction(instance["ridge"])
        assert k_problems.NONZERO.holds(instance) == any(optima.fit)
    assert {optima.directions[0].s for _, optima in found} == {1, -1}
    assert any(not any(optima.fit) for _, optima in found)
    assert any(len(optima.vertices) > 1 for _, optima in found) == (shape != (2, 1))


def test_a_wrong_number_of_components_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: the constructor states one component too many; the checker refuses, the claim is undecided."""
    honest = k_counts.certify_optimal_set

    def lying(found, width):
        certificate = honest(found, width)
        certificate["statement"]["components"] += 1
        return certificate

    monkeypatch.setattr(k_counts, "certify_optimal_set", lying)
    (result,) = verify_claims([replace(CLAIMS["K1"], controls=())], SHORT).claims
    assert result.verdict == "undecided"
    assert "certificate rejected" in result.errors[0]


def test_the_graph_of_cells_notices_what_the_checker_would_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: one component too many from the polytope, and a checker that says yes: the second count refutes."""
    honest = k_counts.optimal_components

    def lying(found, width):
        count = honest(found, width)
        return OptimalComponents(count.components + 1, count.orbits, count.isolated + 1)

    monkeypatch.setattr(k_counts, "optimal_components", lying)
    monkeypatch.setattr(k_counts, "accept", lambda certificate, problem: None)
    (result,) = verify_claims([replace(CLAIMS["K1"], controls=())], SHORT).claims
    assert result.verdict == "refuted"


def test_both_counts_are_made() -> None:
    """By construction: for most instances the graph of cells is small enough to be counted again."""
    twice = []
    for shape in k_problems.SHAPES:
        for instance in drawn(shape, 6):
            found = k_problems.optima_of(instance)
            width = max(found.smallest_support, 1)
            twice.append(counts_at(found, width).is_counted_twice)
    assert sum(twice) >= 0.8 * len(twice)
