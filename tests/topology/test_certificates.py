"""Certificates: accepted by the independent checker, rejected when the statement is changed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.topology import (
    LevelSet,
    certify_barrier,
    certify_components,
    certify_joined,
    certify_separated,
    communication_barrier,
    level_set_topology,
    problem_from_json,
    problem_to_json,
)
from modeconn.topology.certificates import cutting_vectors
from proofs_check.checker import check_certificate

DEGENERATE = {"X": [[1, 2, 3], [2, 4, 6], [-1, -2, -3], [0, 0, 0], [1, 0, 1]], "y": [1, 2, 3, 4, "0.5"]}

CASES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}, 1, "0"),
    ({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}, 2, None),
    ({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}, 3, None),
    ({"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]}, 2, "3"),
    ({"X": [[0, -2], [1, -2], [1, 0], [-1, 0]], "y": [2, 0, 0, 0]}, 3, None),
    ({"X": [[1], [-1], [2], [0]], "y": [1, 2, 3, "1/3"], "output_weights": "fixed"}, 2, None),
    (DEGENERATE, 2, None),
    ({**DEGENERATE, "output_weights": "fixed"}, 3, None),
]


def _level_set(data: dict[str, Any], width: int, level: str | None) -> LevelSet:
    return level_set_topology(problem_from_json(data), width, None if level is None else Fraction(level))


def _certificates(found: LevelSet) -> list[dict[str, Any]]:
    certificates = [certify_components(found)]
    if len(found.components) > 1:
        start, end = found.components[0].representative, found.components[-1].representative
        certificates.append(certify_separated(found.complex, start, end, found.level))
        certificates.append(certify_barrier(found.complex, start, end))
        value = Fraction(certificates[-1]["statement"]["value"])
        certificates.append(certify_joined(found.complex, start, end, value))
    return certificates


@pytest.mark.parametrize(("data", "width", "level"), CASES)
def test_the_checker_accepts(data: dict[str, Any], width: int, level: str | None) -> None:
    """Oracle: certificate. The checker derives rays, cells and edges from the problem by itself."""
    found = _level_set(data, width, level)
    problem = problem_to_json(found.complex.landscape.problem)
    for certificate in _certificates(found):
        answer = check_certificate(certificate, problem)
        assert answer.accepted, answer.reason


def _shift(key: str, by: Fraction) -> Callable[[dict[str, Any]], None]:
    def change(certificate: dict[str, Any]) -> None:
        certificate["statement"][key] = str(Fraction(certificate["statement"][key]) + by)

    return change


def _count(certificate: dict[str, Any]) -> None:
    certificate["statement"]["components"] += 1


def _drop(certificate: dict[str, Any]) -> None:
    del certificate["evidence"]["nus"][0]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("components", _count),
        ("components", _shift("level", Fraction(1, 140))),
        ("components", _drop),
        ("separated", _shift("level", Fraction(1, 140))),
        ("separated", _drop),
        ("barrier", _shift("value", Fraction(1, 1000))),
        ("barrier", _shift("value", Fraction(-1, 1000))),
        ("barrier", _drop),
        ("joined", _shift("level", Fraction(-1, 10**6))),
    ],
)
def test_a_changed_statement_is_rejected(kind: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Oracle: by construction. The statement is then false, or a vector that the greedy cover needed is missing."""
    found = _level_set(*CASES[1])
    certificate = copy.deepcopy(next(c for c in _certificates(found) if c["kind"] == kind))
    change(certificate)
    assert not check_certificate(certificate, CASES[1][0]).accepted


def test_random_problems() -> None:
    """Oracle: certificate, on random problems of random shape."""
    rng = random.Random(12)
    kinds = set()
    for n, d, width in [(3, 2, 2), (4, 2, 2), (4, 2, 3), (5, 2, 2), (4, 3, 2), (3, 1, 4)] * 2:
        X = [[rng.randint(-3, 3) for _ in range(d)] for _ in range(n)]
        data = {"X": X, "y": [rng.randint(-2, 2) for _ in range(n)]}
        for certificate in _certificates(_level_set(data, width, None)):
            kinds.add(certificate["kind"])
            assert check_certificate(certificate, data).accepted
    assert kinds == {"components", "separated", "barrier", "joined"}


def test_what_is_false_is_not_certified() -> None:
    """Oracle: by construction."""
    found = _level_set(*CASES[1])
    start, end = found.components[0].representative, found.components[-1].representative
    top = communication_barrier(found).highest
    with pytest.raises(InputError, match="apart"):
        certify_joined(found.complex, start, end, found.level)
    with pytest.raises(InputError, match="path"):
        certify_separated(found.complex, start, end, top)
    with pytest.raises(InputError, match="raise the level"):
        certify_separated(found.complex, start, end, Fraction(-1))


def test_few_vectors_cut_everything() -> None:
    """Oracle: definition. Every cell above the level is cut by a chosen vector; each vector cuts one the others before
    it do not."""
    found = _level_set(*CASES[3])
    cells, landscape = found.complex, found.complex.landscape
    above = cells.words[~landscape.are_at_most(cells.words, found.level)]
    nus = cutting_vectors(cells, above, found.level, strict=True)

    def is_cut(mask: int, nu: tuple[int, ...]) -> bool:
        y = landscape.problem.y
        reach = sum((a * b for a, b in zip(nu, y, strict=True)), Fraction(0))
        columns = [c for k, c in enumerate(landscape.columns) if mask >> k & 1]
        slopes = [sum(a * b for a, b in zip(nu, c, strict=True)) for c in columns]
        return reach > 0 and max(slopes, default=0) <= 0 and reach**2 / (2 * sum(v * v for v in nu)) > found.level

    masks = {int(w[0]) for w in np.unique(above, axis=0)}
    assert all(any(is_cut(mask, nu) for nu in nus) for mask in masks)
    for k, nu in enumerate(nus):
        assert any(is_cut(mask, nu) and not any(is_cut(mask, earlier) for earlier in nus[:k]) for mask in masks)
