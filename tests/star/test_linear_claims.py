"""G8 and G9 on a short trial, their controls, the checker of linear paths, and sabotage of what they speak of."""

import copy
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from modeconn.star import LinearPath, exact_matrix, linear_path, sample_linear_minimum
from proofs_check.checker.frame import CertificateError, ProblemError
from proofs_check.checker.linear_path import check_linear_path
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.library import g8, g9
from proofs_check.claims.library.linear_cases import as_json
from proofs_check.claims.trial import confirm, evaluate

SHORT = Profile("short", instances=28, block=8, searched=0, shrink=8, polish=4, hint="")


@pytest.mark.parametrize(("claim_id", "verdict"), [("G8", "certified"), ("G9", "not refuted")])
def test_the_claim_holds_and_every_control_falls_at_its_smallest_shape(claim_id, verdict):
    """Theory: the statement is proved, every control false; margins are exact, so the refutations are too."""
    (result,) = verify_claims([CLAIMS[claim_id]], SHORT).claims
    assert (result.verdict, result.reason) == (verdict, "")
    assert result.trial.margin == 0
    assert result.trial.applicable > 14
    for control in result.controls:
        own, found = result.claim.control(control.id), control.trial.pursuit.candidate
        assert found.shape == tuple(own.shapes[0]), control.id
        case = evaluate(own, found.instance)
        assert isinstance(case.margin, Fraction)
        assert confirm(own, case) is True


def short_trial(claim_id):
    claim = replace(CLAIMS[claim_id], controls=(), shapes=CLAIMS[claim_id].shapes[:2])
    (result,) = verify_claims([claim], replace(SHORT, instances=10, shrink=2, polish=0)).claims
    return result.verdict


def moved(net):
    """The net with one entry of its last layer off by 10^-9."""
    last = net[-1].copy()
    last[0, 0] += Fraction(1, 10**9)
    return (*net[:-1], last)


def test_a_centre_that_is_slightly_off_is_refuted(monkeypatch):
    """By construction: the product differs from Q by 10^-9 times an entry."""
    right = g8.linear_star_centre
    wrong = lambda *a, **k: right(*a, **k)._replace(net=moved(right(*a, **k).net))  # noqa: E731
    monkeypatch.setattr(g8, "linear_star_centre", wrong)
    assert short_trial("G8") == "refuted"


def test_a_path_without_its_first_piece_is_refuted(monkeypatch):
    """By construction: from the start straight to the second centre."""

    def short_cut(*args, **options):
        found = linear_path(*args, **options)
        return LinearPath((found.knots[0], *found.knots[2:]), found.defect)

    monkeypatch.setattr(g8, "linear_path", short_cut)
    assert short_trial("G8") == "refuted"


def test_a_worse_centre_does_not_pass_for_the_best(monkeypatch):
    """By construction: any other minimum costs more than 1/4 and 4/15, which the claim says are attained."""

    def worse(net, Q, excess=0, seed=0):
        return sample_linear_minimum(np.random.default_rng(seed), Q, (net[0].shape[0],))

    monkeypatch.setattr(g9, "antipodal_centre", worse)
    assert short_trial("G9") == "refuted"


@pytest.mark.parametrize("constant", ["LEAST_PEAK", "LEAST_INTEGRAL"])
def test_wrong_constants_are_refuted_in_both_directions(monkeypatch, constant):
    """By construction: larger ones fail at the best centre, smaller ones are not attained."""
    right = getattr(g9, constant)
    for factor in (Fraction(101, 100), Fraction(99, 100)):
        monkeypatch.setattr(g9, constant, right * factor)
        assert short_trial("G9") == "refuted"


@pytest.fixture
def certificate():
    """A problem of depth 3 with two inputs, and a certificate of three pieces."""
    rng, Q = np.random.default_rng(1), exact_matrix([[1, 2]])
    start, end = (sample_linear_minimum(rng, Q, (5, 5)) for _ in range(2))
    path = linear_path(start, end, Q, pieces=3)
    nets = [[as_json(layer) for layer in net] for net in path.knots]
    problem = {"Q": as_json(Q), "start": nets[0], "end": nets[-1]}
    return {"pieces": 3}, {"points": nets[1:-1]}, problem


def test_the_checker_accepts_the_path(certificate):
    """By construction."""
    assert "3" in check_linear_path(*certificate)


def test_the_checker_rejects_every_change_of_an_entry(certificate):
    """By construction: the product is a polynomial in each weight; a changed weight in the middle moves it."""
    statement, evidence, problem = certificate
    for k, net in enumerate(evidence["points"]):
        for l, layer in enumerate(net):
            changed = copy.deepcopy(evidence)
            changed["points"][k][l][0][0] = str(Fraction(layer[0][0]) + Fraction(1, 10**12))
            with pytest.raises(CertificateError, match="differs from Q"):
                check_linear_path(statement, changed, problem)
    with pytest.raises(CertificateError, match="differs from Q"):
        check_linear_path(statement, evidence, {**problem, "Q": [["1", "3"]]})


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        (0, {"pieces": 2}, CertificateError),
        (0, {"pieces": True}, CertificateError),
        (0, {"pieces": 3, "slack": "1/2"}, CertificateError),
        (1, {"points": []}, CertificateError),
        (1, {"points": [[], []]}, CertificateError),
        (1, {"points": [[[["1/0"]]]] * 2}, CertificateError),
        (1, {"points": [[[[1]]]] * 2}, CertificateError),
        (2, {"Q": None}, ProblemError),
        (2, {"Q": [[1]]}, ProblemError),
        (2, {"start": "net"}, ProblemError),
        (2, {"end": [[[1, 2]]]}, ProblemError),
    ],
)
def test_malformed_certificates_and_problems(certificate, part, value, error):
    """By construction: the side that is to blame is named."""
    parts = list(certificate)
    parts[part] = {**parts[part], **value} if part == 2 else value
    with pytest.raises(error):
        check_linear_path(*parts)


def test_the_published_pair_is_drawn_and_is_the_published_one():
    """By construction: the instance of Lemma 17, with the best centre."""
    instance = g9._instance((4, 1, 1), [[1]], 0, "published", Fraction(0))
    assert instance["minima"] == [[[[1], [0], [0], [0]], [[1, 0, 0, 0]]]]
    found = evaluate(CLAIMS["G9"], instance)
    assert (found.missed, found.margin) == (None, 0)
    assert (found.detail["largest_loss"], found.detail["integral"]) == ("1/4", "4/15")
