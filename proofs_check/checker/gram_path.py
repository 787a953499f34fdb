"""Certificates of kind "gram-path": a path between two nets that is straight in prediction and Gram matrices.

A base neuron is z = (w, a): number j < m is neuron j of net0, m + j neuron j of net1, further ones stand in the
certificate. At a knot every slot j holds a base b_j and a number t_j >= 0, and the net there has the neurons
sqrt(t_j) z_{b_j}. Between two knots t is linear in s.

Why the knots are enough. A slot changes its base only where its neuron is 0 (t = 0 or z = 0) at one of the two knots,
so on the piece it has one base: the new one if it grows from 0, the old one if it falls to 0. So the path is
continuous, and

    f = sum_j t_j relu(X w_j) a_j^T,    W W^T = sum_j t_j w_j w_j^T,    A A^T = sum_j t_j a_j a_j^T

are linear in s. The loss is convex in f and every ball that this kind takes is convex in the Gram matrices; so both
hold along the piece when they hold at its ends. Start and end are the user's nets, slot by slot. There is no tolerance.

Reference: theory.md section 2a, claim W1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from operator import mul
from typing import Any, NamedTuple

from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import integer, items, parts, rational, vector
from proofs_check.checker.wide_read import Net, Pair, Prediction, at_most, common_scale, read_bound, read_pair
from proofs_check.checker.wide_region import Constraint, Gram, holds
from proofs_check.exact.psd import gram, whole_rows

__all__ = ["check_gram_path"]

Changes = dict[int, Fraction]
"""Base -> change, from one knot to the next, of its weight: the sum of t over the slots that hold it."""


def check_gram_path(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"gram-path"`` certificate; return the accepted statement in words.

    Statement: ``{"level", "radius_slack"}``: a path joins net0 and net1 on which the loss is at most ``level`` and
    every ball of the region holds with its radius times ``1 + radius_slack``. Evidence: ``{"knots", "neurons"}``; a
    knot is a list of changes ``[slot, base, "t"]``, at most one a slot, against the knot before, the first against
    net0; ``neurons`` (may be left out) lists further bases ``[[w...], [a...]]``, the bias last in w.

    Cost: O((n c + d^2 + c^2) changes) integer operations, O(n d) for each base used, and O(d^3 + c^3) for each knot.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: see :func:`~proofs_check.checker.wide_read.read_pair`.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.

    Example:
        >>> nets = {"net0": {"W": [[1, 0]], "A": [1, 0]}, "net1": {"W": [[0, 1]], "A": [0, 1]}}
        >>> problem = {**nets, "X": [[1]], "Y": [1], "region": {"norm": "spectral", "radius": 1}}
        >>> knots = [[[0, 0, "0"], [1, 3, "1"]]]
        >>> check_gram_path({"level": "0", "radius_slack": "0"}, {"knots": knots}, problem)
        'a path joins the two nets of width 2 at loss <= 0 within the region, radii times 1'
    """
    setting = read_pair(problem)
    level, growth = read_bound(statement)
    knots_, neurons_ = parts(evidence, "evidence", ("knots",), ("neurons",))
    for ball in setting.region:
        if ball.norm == "linf":
            raise CertificateError(f"a gram-path certificate cannot show {ball.name}: no function of the Gram matrices")
    bases = _bases(setting, neurons_)
    knots = _read_knots(knots_, setting.width, len(bases.w))
    per_unit = common_scale((slot.t for moves in knots for slot in moves.values()), "t")
    walk = _Walk(setting, bases, per_unit)
    for k, changes in enumerate(_steps(knots, setting, bases)):
        if changes:
            walk.take(changes)
            walk.require(level, setting.region, growth, f"knot {k}" if k else "net0")
    return (
        f"a path joins the two nets of width {setting.width} at loss <= {at_most(level)} within the region, "
        f"radii times {at_most(growth)}"
    )


def _bases(setting: Pair, neurons: Any) -> Net:
    """Return the columns of net0, of net1, then those of the certificate."""
    inputs, outputs = len(setting.X[0]), len(setting.Y[0])
    more = []
    for entry in items([] if neurons is None else neurons, "neurons"):
        w_, a_ = items(entry, "neurons, a neuron", 2)
        more.append((vector(w_, "neurons, w", inputs), vector(a_, "neurons, a", outputs)))
    common_scale((value for neuron in more for row in neuron for value in row), "neurons")
    w, a = zip(*zip(*setting.net0, strict=True), *zip(*setting.net1, strict=True), *more, strict=True)
    return Net(w, a)


class _Slot(NamedTuple):
    """What a slot holds: the neuron sqrt(t) z_base."""

    base: int
    t: Fraction


def _read_knots(value: Any, width: int, count: int) -> list[dict[int, _Slot]]:
    """Return, for every knot, what the slots that change hold from then on."""
    knots: list[dict[int, _Slot]] = []
    for k, moves in enumerate(items(value, "knots"), 1):
        knots.append({})
        for move in items(moves, f"knot {k}"):
            slot_, base_, t_ = items(move, f"knot {k}, a change", 3)
            slot, base, t = integer(slot_, "a slot"), integer(base_, "a base"), rational(t_, f"knot {k}, t")
            if slot >= width or slot in knots[-1]:
                raise CertificateError(f"knot {k}: a slot is changed twice or is not one of {width}")
            if base >= count:
                raise CertificateError(f"knot {k}: a base is not one of {count}")
            if t < 0:
                raise CertificateError(f"knot {k}: t < 0 in slot {slot}")
            knots[-1][slot] = _Slot(base, t)
    return knots


def _steps(knots: Sequence[Mapping[int, _Slot]], setting: Pair, bases: Net) -> Iterator[Changes]:
    """Yield the changes of weight at net0 (from nothing) and at every knot of a continuous path that ends in net1.

    Raises:
        CertificateError: a base is changed while alive, or the end is not net1.
    """

    def is_alive(slot: _Slot) -> bool:
        return slot.t > 0 and (any(bases.w[slot.base]) or any(bases.a[slot.base]))

    state = [_Slot(j, Fraction(1)) for j in range(setting.width)]
    yield {j: Fraction(1) for j in range(setting.width)}
    for k, moves in enumerate(knots, 1):
        changes: defaultdict[int, Fraction] = defaultdict(Fraction)
        for slot, after in moves.items():
            before = state[slot]
            if after.base != before.base and is_alive(before) and is_alive(after):
                raise CertificateError(f"knot {k}: slot {slot} changes its base without passing through 0")
            changes[before.base] -= before.t
            changes[after.base] += after.t
            state[slot] = after
        yield {base: change for base, change in changes.items() if change}
    for j, (last, *z) in enumerate(zip(state, setting.net1.w, setting.net1.a, strict=True)):
        arrived = last.t == 1 and z == [bases.w[last.base], bases.a[last.base]]
        if not arrived and (is_alive(last) or any(map(any, z))):
            raise CertificateError(f"the path does not end in net1: slot {j} holds another neuron")


class _Walk:
    """Prediction and Gram matrices at the current knot, in integers; weights count in units of ``1 / per_unit``."""

    def __init__(self, setting: Pair, bases: Net, per_unit: int) -> None:
        """Start at nothing, all weights 0."""
        scale_x, self._X = whole_rows(setting.X)
        scale_w, self._w = whole_rows(bases.w)
        scale_a, self._a = whole_rows(bases.a)
        self._per_unit = per_unit
        self._hidden: dict[int, list[int]] = {}
        self._prediction = Prediction(setting.Y, scale_x * scale_w * scale_a * per_unit)
        self._grams = [
            Gram([[0] * size for _ in range(size)], scale * scale * per_unit)
            for size, scale in ((len(self._w[0]), scale_w), (len(self._a[0]), scale_a))
        ]

    def take(self, changes: Changes) -> None:
        """Change the weights of some bases."""
        used = list(changes)
        weights = [change.numerator * (self._per_unit // change.denominator) for change in changes.values()]
        w, a = [self._w[base] for base in used], [self._a[base] for base in used]
        outputs = [list(map(mul, column, weights)) for column in zip(*a, strict=True)]
        hidden = zip(*(self._relu(base) for base in used), strict=True)
        for total, row in zip(self._prediction.sums, hidden, strict=True):
            for o, output in enumerate(outputs):
                total[o] += sum(map(mul, row, output))
        for k, vectors in enumerate((w, a)):
            entries, scale = self._grams[k]
            more = gram(vectors, weights, len(entries))
            self._grams[k] = Gram(
                [[p + q for p, q in zip(*rows, strict=True)] for rows in zip(entries, more, strict=True)], scale
            )

    def _relu(self, base: int) -> list[int]:
        """Return relu(X w) of a base, computed once."""
        if base not in self._hidden:
            w = self._w[base]
            self._hidden[base] = [max(sum(map(mul, row, w)), 0) for row in self._X]
        return self._hidden[base]

    def require(self, level: Fraction, region: Sequence[Constraint], growth: Fraction, where: str) -> None:
        """Return if the loss is at most the level and every ball holds with its radius times ``growth``.

        Raises:
            CertificateError: one does not; the message says which, and where.
        """
        self._prediction.require_level(level, where)
        for ball in region:
            if not holds(ball, self._grams[0], self._grams[1], growth):
                raise CertificateError(f"{where}: outside {ball.name}, its radius times {at_most(growth)}")
