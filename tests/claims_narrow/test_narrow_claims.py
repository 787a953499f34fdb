"""The claims on narrow nets hold on a short trial, their controls fall, and sabotage does not go unnoticed."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from modeconn.studies.witness_shipped import shipped_records
from modeconn.topology import Neuron
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.draws import draw
from proofs_check.claims.library import n2, n6, narrow_cases, narrow_pairs, narrow_regions
from proofs_check.claims.library.narrow_cases import Rejected, accept
from proofs_check.claims.library.narrow_problems import (
    ROWS,
    TARGETS,
    has_several_orbits,
    level_set_of,
    problem_data,
    problem_of,
    problems,
    several_orbits,
)
from proofs_check.claims.trial import evaluate

NARROW = [f"N{k}" for k in range(1, 9)]
SHORT = Profile("short", instances=16, block=16, searched=8, shrink=4, polish=0, hint="")

VERDICTS = {"N4": "not refuted", "N8": "refuted"}
"""N4 has no certificates; N8 is known to be false; the others are certified, instance by instance."""


def of_shape(claim, index):
    return replace(claim, shapes=claim.shapes[index : index + 1])


@pytest.mark.parametrize("claim_id", NARROW)
def test_a_claim_holds_and_its_controls_fall(claim_id):
    """Theory: the statement is true (N8: known to be false), every control false, by exact margins."""
    claim = of_shape(CLAIMS[claim_id], 0) if claim_id == "N6" else CLAIMS[claim_id]
    (result,) = verify_claims([claim], SHORT).claims
    assert (result.errors, result.reason) == ((), "")
    assert result.verdict == VERDICTS.get(claim_id, "certified")
    assert result.is_as_expected
    assert result.trial.applicable >= 4
    assert (result.trial.rounding, result.trial.unconfirmed) == (0, 0)
    for control in result.controls:
        found = control.trial.pursuit.candidate
        assert found.margin_exact is not None
        assert evaluate(claim.control(control.id), found.instance).margin == Fraction(found.margin_exact)


def test_the_search_refutes_n8_without_being_told():
    """Certificate: whatever the seed, a counterexample is found, and the checker accepted it."""
    alone = replace(CLAIMS["N8"], controls=())
    for seed in (1, 2):
        (result,) = verify_claims([alone], SHORT, seed=seed).claims
        assert result.verdict == "refuted"
        found = evaluate(alone, result.trial.pursuit.candidate.instance)
        assert found.certified
        assert found.margin < 0


def test_every_shipped_witness_is_certified_with_the_barrier_on_record():
    """Certificate: the checker accepts; the stored barrier is what is found."""
    claim = CLAIMS["N6"]
    assert len(n6.SHIPPED) >= 2
    for instance, record in zip(n6.SHIPPED, shipped_records(), strict=True):
        outcome = claim.check(instance)
        assert outcome.certified
        assert outcome.margin == Fraction(record["barrier"])
        for control in claim.controls:
            assert claim.control(control.id).check(instance).margin < 0


# ------------------------------------------------------------------------------------------------ sabotage


def first_instances(claim_id, shape, count=6):
    found = []
    draw(CLAIMS[claim_id].instances(shape), count, 5, found.append)
    return found


def test_a_wrong_count_is_rejected(monkeypatch):
    """Sabotage: one component too many in the certificate."""
    honest = narrow_cases.certify_components

    def lying(found):
        certificate = honest(found)
        certificate["statement"]["components"] += 1
        return certificate

    monkeypatch.setattr(narrow_cases, "certify_components", lying)
    (result,) = verify_claims([of_shape(CLAIMS["N1"], 1)], SHORT).claims
    assert result.verdict == "undecided"
    assert "components certificate rejected" in result.errors[0]


@pytest.mark.parametrize("factor", [Fraction(3, 4), Fraction(4, 3)])
def test_a_wrong_barrier_is_rejected(monkeypatch, factor):
    """Sabotage: a barrier too low has no path, one too high no cut."""
    honest = narrow_cases.barrier_between
    wrong = []

    def lying(cells, start, end):
        found = honest(cells, start, end)
        wrong.append(found.excess > 0)
        return replace(found, value=factor * found.value) if found.excess else found

    monkeypatch.setattr(narrow_cases, "barrier_between", lying)
    (result,) = verify_claims([of_shape(CLAIMS["N2"], 1)], SHORT).claims
    assert any(wrong)
    assert result.verdict == "undecided"
    assert "barrier certificate rejected" in result.errors[0]


def test_paths_refute_a_barrier_too_high_even_without_the_checker(monkeypatch):
    """Sabotage: the checker says yes to everything; the path that trials find is below the stated barrier."""
    honest = narrow_cases.barrier_between

    def lying(cells, start, end):
        found = honest(cells, start, end)
        return replace(found, value=2 * found.value + 1)

    monkeypatch.setattr(narrow_cases, "barrier_between", lying)
    monkeypatch.setattr(narrow_cases, "accept", lambda certificate, problem: None)
    monkeypatch.setattr(narrow_cases, "certify_barrier", lambda *_: {})
    (result,) = verify_claims([replace(of_shape(CLAIMS["N2"], 0), controls=())], SHORT).claims
    assert result.verdict == "refuted"


def test_nets_found_inside_refute_a_region_said_to_avoid_them(monkeypatch):
    """Sabotage: every verdict is "avoids" and the checker says yes; nets sought inside the region are in the orbits."""
    honest = narrow_regions.orbits_in_region

    def lying(found):
        return tuple(replace(verdict, verdict="avoids") for verdict in honest(found))

    monkeypatch.setattr(narrow_regions, "orbits_in_region", lying)
    monkeypatch.setattr(narrow_regions, "accept", lambda certificate, problem: None)
    monkeypatch.setattr(narrow_regions, "certify_region_avoids", lambda *_: {})
    module = sys.modules["proofs_check.claims.library.n3"]
    module._verdicts_of.cache_clear()
    claim = CLAIMS["N3"]
    above = [{**instance, "eighths": 2, "factor": "2"} for instance in first_instances("N3", (3, 2, 2), 8)]
    margins = [claim.check(instance).margin for instance in above]
    module._verdicts_of.cache_clear()
    assert min(margins) < 0


def test_a_net_of_another_orbit_is_not_taken_for_a_meeting(monkeypatch):
    """Sabotage: the point that should show that a region meets an orbit is scaled, so not in the level set."""
    honest = narrow_regions.orbits_in_region

    def lying(found):
        def move(verdict):
            if verdict.point is None:
                return verdict
            point = tuple(Neuron(tuple(2 * v for v in n.u), n.s) for n in verdict.point)
            return replace(verdict, point=point)

        return tuple(map(move, honest(found)))

    monkeypatch.setattr(narrow_regions, "orbits_in_region", lying)
    shipped = n6.WORKED[0]
    with pytest.raises(Rejected, match="should show"):
        CLAIMS["N6"].check(shipped)


def test_a_refused_certificate_is_an_error():
    """By construction."""
    with pytest.raises(Rejected, match="joined certificate rejected"):
        accept(
            {"format": "modeconn.certificate/1", "kind": "joined", "statement": {}, "evidence": {}},
            problem_of({"problem": {"X": [[1]], "y": [1]}}),
        )


# ------------------------------------------------------------------------------------------------ instances


def test_problems_reach_degenerate_data():
    """By construction: equal, parallel, opposite and zero rows, rank one, a bias column, fixed outputs, zero loss."""
    seen = []
    draw(problems((4, 2, 2)), 250, 2, seen.append)
    arrays = [(np.array(i["problem"]["X"]), i["problem"]) for i in seen]
    assert len(arrays) == 250

    def angles(X):
        return np.abs(np.cross(X[:, None], X[None])) + 10 * (np.abs(X).sum(1)[:, None] == 0)

    for condition in (
        lambda X, _: len(np.unique(X, axis=0)) < len(X),
        lambda X, _: any(a == -2 * b for a, b in zip(X[:, 0], X[::-1, 0], strict=True)),
        lambda X, _: not X.any(1).all(),
        lambda X, _: np.linalg.matrix_rank(X) == 1,
        lambda X, _: not X.any(),
        lambda X, _: (X[:, -1] == 1).all(),
        lambda X, p: p["output_weights"] == "fixed",
        lambda X, p: any(y < 0 for y in p["y"]) and p["output_weights"] == "fixed",
        lambda X, p: not any(p["y"]),
    ):
        assert any(condition(X, problem) for X, problem in arrays)
    assert set(ROWS) >= {"generic", "zero-row", "low-rank"}
    assert set(TARGETS) >= {"taught", "random"}


def test_named_problems_are_the_same_every_time_and_have_several_orbits():
    """By construction: the first problem from a seed whose zero-loss nets fall into several orbits."""
    seen = []
    draw(several_orbits((4, 2, 2)), 5, 0, seen.append)
    for instance in seen:
        data = problem_data(instance)
        assert has_several_orbits(data, 2)
        assert level_set_of(instance).orbits == level_set_of({"problem": data, "width": 2}).orbits > 1
        assert problem_data(dict(instance)) == data


def test_pairs_name_minima_and_padded_nets():
    """By construction: padded nets have a zero neuron and the least loss of one neuron less."""
    instance = {"problem": {"X": [[1], [-1]], "y": [1, 1], "output_weights": "free"}, "width": 2}
    padded = narrow_pairs.pair_of({**instance, "nets": "padded"})
    assert padded.start[-1].is_zero
    assert padded.worse_end == level_set_of({**instance, "width": 1}).least_loss == Fraction(1, 2)
    minima = narrow_pairs.pair_of({**instance, "nets": "minima"})
    assert (minima.worse_end, minima.value) == (0, Fraction(1, 2))
    assert n2.CLAIM.check({**instance, "nets": "minima", "seed": 0}).margin >= 0
