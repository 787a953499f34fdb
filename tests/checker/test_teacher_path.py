"""Certificates of paths of minima of the teacher-student model: accepted when true, refused when spoilt."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from proofs_check.checker import ProblemError, check_certificate
from proofs_check.exact.teacher import canonical_form, is_on_axes, is_same_ray, is_segment_minimal, is_teacher

START = [["1/3", 0], ["2/3", 0], [0, 1]]
CENTRE = [[1, 0], [0, 0], [0, 1]]
END = [["1/2", 0], [0, "3/4"], ["0", "0.25"]]
FAR = [[1, 0], [0, 1], [0, 0]]


def decide(points, pieces=None, start=START, end=END, **frame):
    problem = {"M": 2, "start": start, "end": end}
    statement = {"pieces": len(points) + 1 if pieces is None else pieces}
    certificate = {"format": "modeconn.certificate/1", "kind": "teacher-path", "statement": statement}
    return check_certificate({**certificate, "evidence": {"points": points}, **frame}, problem)


def test_a_true_path_is_accepted():
    """By construction: the centre drops the second row, which then changes its axis."""
    end = [[1, 0], [0, "3/4"], [0, "1/4"]]
    found = decide([CENTRE], end=end)
    assert (found.accepted, found.reason) == (True, "the two minima are joined by 2 straight pieces of minima")
    assert decide([], start=START, end=CENTRE).accepted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"points": []}, "not a minimum"),
        ({"points": [], "end": [[1, 0], [0, "3/4"], [0, "1/4"]]}, "leaves its ray"),
        ({"points": [[[1, 0], [0, 0], [0, 2]]], "end": FAR}, "not a minimum"),
        ({"points": [[["1/2", "1/2"], ["1/2", "1/2"], [0, 0]]], "end": FAR}, "not a minimum"),
        ({"points": [[[2, 0], [-1, 0], [0, 1]]], "end": FAR}, "not a minimum"),
        ({"points": [CENTRE], "pieces": 1, "end": FAR}, "one less than the pieces"),
        ({"points": [CENTRE], "pieces": True, "end": FAR}, "expected an integer"),
        ({"points": [[[1, 0], [0, 1]]], "end": FAR}, "expected a matrix"),
        ({"points": [[]], "end": FAR}, "at least one entry"),
        ({"points": [[[], []]], "end": FAR}, "at least one entry"),
        ({"points": [[["x", 0], [0, 0], [0, 1]]], "end": FAR}, "expected a number"),
    ],
)
def test_a_false_or_malformed_one_is_not(change, reason):
    """By construction: every condition of the check, violated alone."""
    found = decide(**change)
    assert not found.accepted
    assert reason in found.reason


@pytest.mark.parametrize(
    "problem",
    [{"M": 0, "start": START, "end": END}, {"M": 3, "start": START, "end": END}, {"M": 2, "start": START}, {"M": True}],
)
def test_a_problem_that_makes_no_sense_is_the_users(problem):
    """By construction."""
    certificate = {"format": "modeconn.certificate/1", "kind": "teacher-path", "statement": {"pieces": 1}}
    with pytest.raises(ProblemError):
        check_certificate({**certificate, "evidence": {"points": []}}, problem)


def agree_everywhere(W, M):
    """Whether the nets agree on all rays of the arrangement of their kinks and the axes (d = 2: this decides)."""
    normals = [w for w in W if any(w)] + [(1, 0), (0, 1)]
    rays = [(s * -w[1], s * w[0]) for w in normals for s in (1, -1)]
    return all(
        sum(max(Fraction(0), w[0] * x + w[1] * y) for w in W) == sum(max(0, z) for z in (x, y)[:M]) for x, y in rays
    )


def test_the_canonical_form_decides_equality():
    """Independent implementation: values on every ray where either net can bend, all small students in two inputs."""
    entries = [Fraction(k, 2) for k in (-1, 0, 1, 2)]
    rows = list(itertools.product(entries, repeat=2))
    seen = {True: 0, False: 0}
    for W in itertools.combinations_with_replacement(rows, 3):
        for M in (1, 2):
            same = is_teacher(W, M)
            assert same == agree_everywhere(W, M) == is_on_axes(W, M)
            seen[same] += 1
    assert min(seen.values()) >= 3


def test_forms_and_rays():
    """By construction."""
    rng = np.random.default_rng(0)
    W = [[Fraction(int(x)) for x in row] for row in rng.integers(-3, 4, size=(4, 3))]
    doubled = [[x / 2 for x in row] for row in W for _ in range(2)]
    assert canonical_form(W) == canonical_form(doubled) == canonical_form(W[::-1])
    assert is_same_ray([1, 2], [2, 4])
    assert not is_same_ray([1, 2], [-1, -2])
    assert not is_same_ray([1, 2], [2, 1])
    assert is_same_ray([0, 0], [2, 1])
    assert not is_segment_minimal([[1, 0], [0, 1]], [[0, 1], [1, 0]], 2)
    half = [[Fraction(1, 2), 0], [0, 1]]
    assert not is_segment_minimal(half, half, 2)
    assert not is_segment_minimal([[1, 0], [0, 1]], half, 2)
    assert is_segment_minimal([[1, 0], [0, 1]], [[1, 0], [0, 1]], 2)
