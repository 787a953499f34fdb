"""KUD1: two dropout-stable nets are joined by a path that climbs no higher than their thinned halves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.constructions.dropout import dropout_path, thin_net, thinned_net
from modeconn.nets import Net
from proofs_check.checker import barrier_problem, check_certificate
from proofs_check.checker.frame import FORMAT
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.exact.segment import polyline_enclosure

__all__ = ["CLAIM"]

LEGS = 7
"""Most segments of a chain."""

SHAPES = ((2, 1, 2), (3, 2, 4), (4, 2, 5), (5, 3, 8))
"""n, d, m."""


class Rejected(AssertionError):
    """The checker did not accept the certificate of a path."""


def _nets(shape: Shape, noises: Sequence[float] = (0.0, 0.125, 0.5, 2.0), copies: int = 3) -> SearchStrategy[Instance]:
    """Return two nets with data: about three copies of each teacher neuron, with noise of a drawn size.

    Without noise both fit the data, and with three copies they lose nothing when half of the neurons go.
    """

    def build(seed: int, noise: float, has_bias: bool) -> Instance:
        rng = np.random.default_rng(seed)
        n, d, m = shape
        X = rng.integers(-8, 9, (n, d)) / 4
        teachers = max(1, m // copies)
        W, a = rng.integers(-8, 9, (d, teachers)) / 4, rng.choice([-1.0, 1.0], teachers)
        instance: dict[str, Any] = {"X": X.tolist(), "Y": (np.maximum(X @ W, 0) @ a).tolist()}
        for end in "01":
            owner = np.concatenate([np.arange(len(a)), rng.integers(0, len(a), m - len(a))])[rng.permutation(m)]
            shares = a[owner] / np.bincount(owner)[owner]
            bump = rng.integers(-8, 9, (d + 1, m)) / 8 * noise
            instance["W" + end] = (W[:, owner] + bump[:-1]).tolist()
            instance["A" + end] = [(shares + bump[-1]).tolist()]
            instance["b" + end] = (bump[0] / 2).tolist() if has_bias else None
        return instance

    return st.builds(build, st.integers(0, 2**32 - 1), st.sampled_from(list(noises)), st.booleans())


def _read(instance: Instance) -> tuple[list[Net], np.ndarray, np.ndarray]:
    nets = [
        Net(*(None if instance[key + end] is None else np.asarray(instance[key + end], float) for key in "WAb"))  # type: ignore[arg-type]
        for end in "01"
    ]
    return nets, np.asarray(instance["X"], float), np.asarray(instance["Y"], float)[:, None]


def _plain(knots: Sequence[Net]) -> list[tuple[Any, Any, Any]]:
    return [(net.W, net.A, net.b) for net in knots]


def _exact_losses(knots: Sequence[Net], X: np.ndarray, Y: np.ndarray) -> list[Fraction]:
    """Return the losses of nets, exactly."""
    return [_enclosure([net, net], X, Y).loss_start for net in knots]


def _enclosure(knots: Sequence[Net], X: np.ndarray, Y: np.ndarray) -> Any:
    nets = [tuple(None if leaf is None else leaf.tolist() for leaf in net) for net in _plain(knots)]
    return polyline_enclosure(nets, X.tolist(), Y.tolist(), baseline="endpoint_max")


def _epsilon(losses: Sequence[Fraction]) -> Fraction:
    """Return the excess of the thinned nets over the worse end, from the losses of both ends and both thinned nets."""
    return max(losses) - max(losses[:2])


def _check(instance: Instance) -> Outcome:
    nets, X, Y = _read(instance)
    thinned = [thin_net(net, X, Y) for net in nets]
    knots = dropout_path(nets[0], nets[1], thinned[0], thinned[1])
    losses = _exact_losses([*nets, *(thinned_net(*pair) for pair in zip(nets, thinned, strict=True))], X, Y)
    epsilon = _epsilon(losses)
    certificate = {
        "format": FORMAT,
        "kind": "polyline-barrier",
        "statement": {
            "baseline": "endpoint_max",
            "lower": str(losses[0] - max(losses[:2])),
            "upper": str(epsilon),
        },
        "evidence": {"t": "0"},
    }
    verdict = check_certificate(certificate, barrier_problem(_plain(knots), X, Y))
    if not verdict.accepted:
        raise Rejected(verdict.reason)
    joined = knots[0] is nets[0] and knots[-1] is nets[1] and len(knots) - 1 <= LEGS
    joined = joined and all(2 * len(set(t.kept)) <= nets[0].W.shape[1] for t in thinned)
    detail = {"epsilon": float(epsilon), "legs": len(knots) - 1, "kept": [list(t.kept) for t in thinned]}
    return Outcome(Fraction(0 if joined else -1), certified=True, detail=detail)


def _climbs(choose: Callable[[list[Net], list[Net]], list[Net]], with_epsilon: bool) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the chain through the chosen knots has excess at most epsilon, or at most 0."""

    def check(instance: Instance) -> Outcome:
        nets, X, Y = _read(instance)
        thinned = [thin_net(net, X, Y) for net in nets]
        halves = [thinned_net(*pair) for pair in zip(nets, thinned, strict=True)]
        epsilon = _epsilon(_exact_losses([*nets, *halves], X, Y)) if with_epsilon else Fraction(0)
        knots = choose(nets, halves) if with_epsilon else dropout_path(nets[0], nets[1], thinned[0], thinned[1])
        lower = _enclosure(knots, X, Y).lower
        return Outcome(epsilon - lower, detail={"epsilon": float(epsilon), "climb": float(lower)})

    return check


CLAIM = Claim(
    id="KUD1",
    statement=(
        "two nets that lose at most epsilon when half of the neurons go and the outputs of the others are rescaled are "
        "joined by an explicit chain of at most seven segments with loss <= max(L_0, L_1) + epsilon; epsilon is "
        "measured exactly and the checker accepts the bound for the very weights (margin 0: accepted)"
    ),
    source="Kuditipudi et al. (2019), Theorem 1, for two layers, one output, half squared error; our formulation",
    instances=_nets,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "no-climb",
            "the chain has loss <= max(L_0, L_1)",
            _climbs(lambda nets, halves: nets, False),
            instances=lambda shape: _nets(shape, noises=(0.0,), copies=1),
            shapes=SHAPES[1:],
        ),
        Control(
            "straight",
            "the straight segment has loss <= max(L_0, L_1) + epsilon",
            _climbs(lambda nets, _: nets, True),
            shapes=SHAPES[3:],
        ),
        Control(
            "three-legs",
            "so has the chain that joins the two thinned nets by a straight segment",
            _climbs(lambda nets, halves: [nets[0], *halves, nets[1]], True),
            shapes=SHAPES[3:],
        ),
    ),
    cost=2.0,
    rests_on=("S1",),
)
