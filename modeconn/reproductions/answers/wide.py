"""Known answers about wide nets in an optimizer's ball: functionals, the sharp examples of W1, a least radius."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from modeconn.capacity import least_radius, type_system
from modeconn.constructions.functionals import functionals_of
from modeconn.constructions.wide_region import region_from_text
from modeconn.reproductions.answers.answer import Answer, Found, certified, exact, interval
from modeconn.topology import certify_components, level_set_topology, problem_from_json, problem_to_json
from proofs_check.checker import check_certificate

__all__ = ["wide_answers"]

COUNTS = (("joint-frobenius:2", 2, 1, 3), ("spectral:2", 2, 1, 4), ("spectral:2", 3, 2, 7))
"""(region, n, d, N) of the examples of W1, one output."""

SIDES = {"X": [[1], [-1]], "y": [1, 1]}

AGREEMENT = 1e-10
"""Both ends of the least radius squared lie within this of the closed form."""


def wide_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 2."""
    for text, n, d, known in COUNTS:
        norm = text.partition(":")[0]
        yield Answer(
            f"W1 N, {norm}, n = {n}, d = {d}",
            "W1",
            f"functionals of the {norm} ball, n = {n}, d = {d}, one output",
            known,
            str(known),
            exact(functionals_of(region_from_text(text)).count(n, d, 1)),
        )
    problem = problem_from_json(SIDES)
    for width, known in ((2, 2), (3, 1)):
        found = level_set_topology(problem, width)
        yield Answer(
            f"W1 |x|, m = {width}",
            "W1",
            f"components of the interpolating nets, X = (1, -1), y = (1, 1), m = {width}",
            known,
            str(known),
            certified(len(found.components), "components", certify_components(found), problem_to_json(problem)),
        )
    yield _three_rows()


def _three_rows() -> Answer:
    """Return the least radius of the three unit rows at 120 degrees, between two certificates.

    The rows are floats, off the unit circle by rounding; what is certified is the radius of these very rows.
    """
    half = math.sqrt(3) / 2
    found = least_radius(type_system([[1, 0], [-0.5, half], [-0.5, -half]], [1, Fraction(11, 10), Fraction(13, 10)]))
    certificate, problem = found.upper_certificate()
    accepted = all(check_certificate(each, problem).accepted for each in (found.lower_certificate(), certificate))
    square = found.square_upper if accepted else None
    return Answer(
        "W1 three rows",
        "W1",
        "least radius squared, three unit rows at 120°, y = (1, 1.1, 1.3)",
        3.4 / math.sqrt(2),
        "sum(y)/√2",
        Found(Fraction(0), Fraction(0), "refused", 0.0)
        if square is None
        else interval(found.square_lower, square, AGREEMENT),
        note="both ends accepted by the checker",
    )
