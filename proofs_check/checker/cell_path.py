"""Certificates of kind "cell-path": a path between two nets with one output that stays in one cell from knot to knot.

At a knot slot j holds (u_j, beta_j, s_j), see :mod:`proofs_check.checker.cell_state`; between two knots u and beta are
linear. On a piece that is allowed

* the sign stays, or changes where beta = 0 at one of the two knots: the piece has one sign;
* (x_i . u)(x_i . u') >= 0 for all i: one closed cell holds the piece, and relu(X u) is linear on it.

So the prediction is linear, the loss convex, and every ball is jointly convex in (u, beta): the knots are enough.

The path is one of weights. Where beta > 0, alpha = s sqrt(beta) and w = u / sqrt(beta) are continuous. Where beta
falls to 0 at an end of a piece, u does so too and is proportional to beta: w = sqrt(share) w' tends to 0. A neuron
of the user's net with alpha = 0 and w != 0 is the state (0, 0): first its w shrinks to 0, which no prediction sees and
no ball forbids, provided that the net itself lies in the region. So that is checked, of the very weights.

Reference: theory.md section 2b, claims W3, W4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any

from proofs_check.checker.cell_state import ZERO_SIGN, CellNeuron, State, find_violation, read_neuron
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import integer, items, parts
from proofs_check.checker.wide_read import (
    Net,
    Pair,
    Prediction,
    at_most,
    common_scale,
    read_bound,
    read_pair,
    require_nets_inside,
)
from proofs_check.exact.psd import whole_rows
from proofs_check.exact.rational import common_denominator

__all__ = ["check_cell_path"]


def check_cell_path(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"cell-path"`` certificate; return the accepted statement in words.

    Statement: ``{"level", "radius_slack"}``: a path joins net0 and net1 on which the loss is at most ``level`` and
    every ball of the region holds with its radius times ``1 + radius_slack``. Evidence: ``{"knots"}``; a knot is a list
    of changes ``[slot, ["u", ...], "beta", s]``, at most one a slot, against the knot before, the first against net0;
    the last is the state of net1: ``u = |alpha| w``, ``beta = alpha**2``, ``s = sign(alpha)``.

    Cost: O(n d changes + m d^2 knots) integer operations.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: see :func:`~proofs_check.checker.wide_read.read_pair`; one output.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.

    Example:
        >>> nets = {"net0": {"W": [[1, 0]], "A": [1, 0]}, "net1": {"W": [[0, 1]], "A": [0, 1]}}
        >>> problem = {**nets, "X": [[1]], "Y": [1], "region": {"norm": "linf", "radius": 1}}
        >>> knots = [[[0, ["0"], "0", 1], [1, ["1"], "1", 1]]]
        >>> check_cell_path({"level": "0", "radius_slack": "0"}, {"knots": knots}, problem)
        'a path joins the two nets of width 2 at loss <= 0 within the region, radii times 1'
    """
    setting = read_pair(problem)
    if len(setting.Y[0]) != 1:
        raise CertificateError(f"a cell-path certificate is about one output, the problem has {len(setting.Y[0])}")
    level, growth = read_bound(statement)
    (knots_,) = parts(evidence, "evidence", ("knots",))
    start, end = _state_of(setting.net0), _state_of(setting.net1)
    knots = _read_knots(knots_, setting)
    require_nets_inside(setting, growth)
    walk = _Walk(setting, [dict(enumerate(start)), *knots])
    for k in range(len(knots) + 1):
        where = f"knot {k}" if k else "net0"
        walk.take(k, where)
        walk.prediction.require_level(level, where)
        if k and (ball := find_violation(walk.state, setting.region, growth)):
            raise CertificateError(f"{where}: outside {ball}, its radius times {at_most(growth)}")
    last = list(start)
    for moves in knots:
        for slot, neuron in moves.items():
            last[slot] = neuron
    for j, (found, wanted) in enumerate(zip(last, end, strict=True)):
        if found[:2] != wanted[:2] or (found.s != wanted.s and found.beta):
            raise CertificateError(f"the path does not end in net1: slot {j} holds another neuron")
    return (
        f"a path joins the two nets of width {setting.width} at loss <= {at_most(level)} within the region, "
        f"radii times {at_most(growth)}"
    )


def _state_of(net: Net) -> list[CellNeuron]:
    """Return the state of a net: u = |alpha| w, beta = alpha^2, s = sign alpha."""
    pairs = [(w, a[0]) for w, a in zip(*net, strict=True)]
    return [CellNeuron(tuple(abs(a) * v for v in w), a * a, -1 if a < 0 else ZERO_SIGN) for w, a in pairs]


def _read_knots(value: Any, setting: Pair) -> list[dict[int, CellNeuron]]:
    """Return, for every knot, what the slots that change hold from then on."""
    knots: list[dict[int, CellNeuron]] = []
    for k, moves in enumerate(items(value, "knots"), 1):
        knots.append({})
        for move in items(moves, f"knot {k}"):
            slot_, *neuron = items(move, f"knot {k}, a change", 4)
            slot = integer(slot_, "a slot")
            if slot >= setting.width or slot in knots[-1]:
                raise CertificateError(f"knot {k}: a slot is changed twice or is not one of {setting.width}")
            knots[-1][slot] = read_neuron(neuron, f"knot {k}, slot {slot}", len(setting.X[0]))
    common_scale((value for moves in knots for neuron in moves.values() for value in neuron.u), "u")
    common_scale((neuron.beta for moves in knots for neuron in moves.values()), "beta")
    return knots


class _Walk:
    """The current knot in integers: the state, the pre-activations X u of every slot, the prediction."""

    def __init__(self, setting: Pair, knots: Sequence[Mapping[int, CellNeuron]]) -> None:
        """Start at nothing; ``knots[0]`` fills every slot."""
        scale_x, self._X = whole_rows(setting.X)
        moved = [neuron for moves in knots for neuron in moves.values()]
        scale_u, rows = whole_rows([neuron.u for neuron in moved])
        scale_beta = common_denominator(neuron.beta for neuron in moved)
        whole = iter(rows)
        self._knots = [
            {
                slot: (next(whole), neuron.beta.numerator * (scale_beta // neuron.beta.denominator), neuron.s)
                for slot, neuron in moves.items()
            }
            for moves in knots
        ]
        width, inputs = setting.width, len(setting.X[0])
        self._u, self._beta = [[0] * inputs for _ in range(width)], [0] * width
        self._sign = [ZERO_SIGN] * width
        self._z = [[0] * len(setting.X) for _ in range(width)]
        self.state = State(self._u, self._beta, scale_u, scale_beta)
        self.prediction = Prediction(setting.Y, scale_x * scale_u)

    def take(self, k: int, where: str) -> None:
        """Go on to a knot along an allowed piece.

        Raises:
            CertificateError: a slot changes its sign without passing through 0, or its cell.
        """
        total = [row[0] for row in self.prediction.sums]
        for slot, (u, beta, s) in self._knots[k].items():
            z, before = [sum(map(mul, row, u)) for row in self._X], self._z[slot]
            if s != self._sign[slot] and beta and self._beta[slot]:
                raise CertificateError(f"{where}: slot {slot} changes its sign without passing through 0")
            if min(map(mul, z, before)) < 0:
                raise CertificateError(f"{where}: slot {slot} changes its activation pattern on the way")
            gained = [s * max(value, 0) for value in z]
            lost = [self._sign[slot] * max(value, 0) for value in before]
            total = [f + p - q for f, p, q in zip(total, gained, lost, strict=True)]
            self._u[slot], self._beta[slot], self._sign[slot], self._z[slot] = u, beta, s, z
        self.prediction.sums = [[value] for value in total]
