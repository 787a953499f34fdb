"""G1: the minima of the teacher-student model are rows on the teachers' rays whose columns sum to one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import exact_rows, minima
from proofs_check.exact.teacher import Neurons, canonical_form, is_on_axes, is_teacher

__all__ = ["CLAIM", "edited_rows"]

SHAPES = ((1, 2, 2), (2, 2, 3), (2, 3, 3), (2, 3, 5), (3, 4, 6))
"""(M, d, m)."""
EIGHTHS = st.sampled_from([-8, -2, -1, 1, 4, 8])


def _students(shape: Shape) -> SearchStrategy[Instance]:
    """Return minima with at most three entries changed by eighths, an amount moved between two of a column, or rows
    turned around: their kinks stay those of the teacher, the linear part does not."""
    M, d, m = shape
    entry = st.tuples(st.integers(0, m - 1), st.integers(0, d - 1), EIGHTHS)
    moved = st.tuples(entry, st.integers(0, m - 1)).map(lambda t: [list(t[0]), [t[1], t[0][1], -t[0][2]]])
    none: SearchStrategy[list[list[int]]] = st.just([])
    edits = st.one_of(none, st.lists(entry.map(list), min_size=1, max_size=3), moved)
    unturned: SearchStrategy[list[int]] = st.just([])
    turned = st.one_of(unturned, st.lists(st.integers(0, m - 1), min_size=1, max_size=2))
    return st.fixed_dictionaries(
        {"M": st.just(M), "d": st.just(d), "minimum": minima(M, m), "edits": edits, "turned": turned},
    )


def _on_their_axes(shape: Shape) -> SearchStrategy[Instance]:
    """Return students whose columns sum to 1 with every row on an axis: an amount moved within a teacher's rows."""
    M, d, m = shape

    def moved(drawn: tuple[dict[str, Any], int]) -> Instance:
        minimum, eighths = drawn
        labels = minimum["labels"]
        twice = [j for j in range(1, M + 1) if labels.count(j) > 1]
        edits: list[list[int]] = []
        if twice:
            i, k = [row for row, label in enumerate(labels) if label == twice[0]][:2]
            edits = [[i, twice[0] - 1, eighths], [k, twice[0] - 1, -eighths]]
        return {"M": M, "d": d, "minimum": minimum, "edits": edits}

    return st.tuples(minima(M, m), EIGHTHS).map(moved)


def _off_their_axes(shape: Shape) -> SearchStrategy[Instance]:
    """Return students with nonnegative entries and a row off the axes: an eighth of teacher 1 moved to a row of 2."""
    M, d, m = shape

    def moved(minimum: dict[str, Any]) -> Instance:
        giver, taker = (minimum["labels"].index(j) for j in (1, 2))
        return {"M": M, "d": d, "minimum": minimum, "edits": [[giver, 0, -1], [taker, 0, 1]]}

    return minima(M, m).map(moved)


def edited_rows(instance: Instance) -> list[list[Fraction]]:
    """Return the exact student of an instance, one neuron a row."""
    rows = exact_rows(instance["minimum"], instance["d"])
    for i, j, eighths in instance["edits"]:
        rows[int(i)][int(j)] += Fraction(eighths) / 8
    for i in instance.get("turned", ()):
        rows[int(i)] = [-entry for entry in rows[int(i)]]
    return rows


def _is_described_by(description: Callable[[Neurons, int], bool]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the students of loss 0 are those that the description accepts."""

    def check(instance: Instance) -> Outcome:
        rows, M = edited_rows(instance), instance["M"]
        described, zero_loss = description(rows, M), is_teacher(rows, M)
        linear, lines = canonical_form(rows)
        detail = {"described": described, "zero_loss": zero_loss, "lines": len(lines), "sum": [str(s) for s in linear]}
        return Outcome(Fraction(0 if described == zero_loss else -1), detail=detail)

    return check


def _columns_sum_to_one(rows: Neurons, M: int) -> bool:
    return all(sum(row[j] for row in rows) == (j < M) for j in range(len(rows[0])))


def _any_sign(rows: Neurons, M: int) -> bool:
    """Return whether rows lie on the teachers' axes, with either sign, and the columns sum to 1."""
    return _columns_sum_to_one(rows, M) and all(sum(entry != 0 for entry in row) <= 1 for row in rows)


def _nonnegative(rows: Neurons, M: int) -> bool:
    return _columns_sum_to_one(rows, M) and all(entry >= 0 for row in rows for entry in row)


CLAIM = Claim(
    id="G1",
    statement=(
        "m >= M, orthonormal teachers e_1..e_M, x uniform on the sphere (or Gaussian): the population loss is 0 iff "
        "every row is 0 or alpha e_j with alpha > 0, j <= M, and every column j <= M sums to 1 (loss 0 is decided "
        "exactly: both nets are the same function iff their kinks and their linear parts agree)"
    ),
    source="Lin, Li, Wu (2024), Theorem 6; the printed alpha != 0 must read alpha > 0, see the control",
    instances=_students,
    shapes=SHAPES,
    check=_is_described_by(is_on_axes),
    controls=(
        Control(
            "any-sign",
            "the same with alpha != 0, as the theorem is printed",
            check=_is_described_by(_any_sign),
            instances=_on_their_axes,
            shapes=((1, 2, 2), (2, 2, 3), (2, 3, 5)),
        ),
        Control(
            "off-axis",
            "the loss is 0 iff all entries are nonnegative and every column sums to that of the teachers",
            check=_is_described_by(_nonnegative),
            instances=_off_their_axes,
            shapes=((2, 2, 3), (2, 3, 3)),
        ),
    ),
)
