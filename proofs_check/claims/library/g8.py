"""G8: minima of a linear net have a common linear centre, and any two are joined by three straight pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import (
    LinearNet,
    last_layer,
    linear_path,
    linear_star_centre,
    matrix_rank,
    products_independent,
    random_layer,
)
from proofs_check.checker import check_certificate
from proofs_check.checker.frame import FORMAT
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.linear_cases import (
    as_json,
    compute_q,
    goal_of,
    minima_of,
    rows_of,
    sampled,
    target_matrices,
)
from proofs_check.exact.linear_net import chain_error

__all__ = ["CLAIM"]

SHAPES = ((2, 2, 1, 1), (2, 3, 1, 2), (2, 2, 2, 2), (3, 2, 1, 1), (3, 2, 2, 1), (3, 3, 1, 2), (4, 2, 1, 1))
"""(depth L, minima r, inputs d, outputs c)."""

TIGHT = ((2, 2, 1, 1), (3, 2, 1, 1))
EVEN = ((2, 2, 1, 1), (2, 2, 2, 1), (4, 2, 1, 1))


def _needed_widths(depth: int, Q: np.ndarray, feet: int) -> list[int]:
    """Return the hidden widths of the statement, counted from the output where Q has fewer rows than columns."""
    (c, d), q = Q.shape, matrix_rank(Q)
    widths = [q * (1 + feet * l) + feet * (min(c, d) - q) for l in range(1, depth)]
    return widths[::-1] if c < d else widths


def _instance(shape: Shape, Q: np.ndarray, spare: int, seed: int, kind: str) -> Instance:
    """Return minima of the sufficient widths plus ``spare``: ``generic`` ones, or a pair that is anything but."""
    L, r, _, _ = shape
    feet = r if kind == "generic" else 2
    needed = _needed_widths(L, Q, feet)
    widths = [max(m + spare, 1) for m in needed]
    minima: list[Any] = sampled(Q, widths, feet, seed)
    if kind == "antipodal":
        flipped = (1, 2) if L % 2 else range(1, L + 1)
        minima[1] = [_negated(A) if l in flipped else A for l, A in enumerate(minima[0], 1)]
    if kind == "shared layers":
        minima[1] = _sharing(minima)
    if kind == "few neurons":
        few = max(matrix_rank(Q), 1)
        minima = [_padded(net, widths) for net in sampled(Q, [few] * (L - 1), 2, seed)]
    return {"kind": kind, "Q": as_json(Q), "minima": minima, "seed": seed}


def _negated(layer: list[list[Any]]) -> list[list[Any]]:
    return as_json(-np.array([[Fraction(x) for x in row] for row in layer], object))


def _sharing(minima: list[Any]) -> list[Any]:
    """Return the first net with its hidden neurons next to the input scaled by 2 and the next layer by 1/2."""
    first, second, *rest = minima[0]
    scale = [np.array([[Fraction(x) for x in row] for row in A], object) for A in (first, second)]
    return [as_json(scale[0] * 2), as_json(scale[1] * Fraction(1, 2)), *rest]


def _padded(net: list[Any], widths: list[int]) -> list[Any]:
    """Return a narrow net with dead neurons."""
    sizes = [len(net[0][0]), *widths, len(net[-1])]
    return [
        [[*row, *[0] * (columns - len(row))] for row in A] + [[0] * columns for _ in range(rows - len(A))]
        for A, columns, rows in zip(net, sizes, sizes[1:], strict=False)
    ]


def _drawn(*kinds: str, spare: tuple[int, ...] = (0, 0, 1)) -> Callable[[Shape], SearchStrategy[Instance]]:
    def strategy(shape: Shape) -> SearchStrategy[Instance]:
        _, _, d, c = shape
        return st.builds(
            _instance,
            st.just(shape),
            target_matrices(c, d),
            st.sampled_from(spare),
            st.integers(0, 2**16),
            st.sampled_from(kinds),
        )

    return strategy


def _error(knots: Sequence[LinearNet], Q: np.ndarray) -> Fraction:
    return chain_error([[rows_of(layer) for layer in net] for net in knots], rows_of(Q))


def _accept(knots: Sequence[LinearNet], instance: Instance, start: int, end: int, pieces: int) -> None:
    """Raise unless the checker accepts the chain as so many pieces between these two minima of the instance."""
    certificate = {
        "format": FORMAT,
        "kind": "linear-path",
        "statement": {"pieces": pieces},
        "evidence": {"points": [[as_json(layer) for layer in net] for net in knots[1:-1]]},
    }
    minima = instance["minima"]
    found = check_certificate(certificate, {"Q": instance["Q"], "start": minima[start], "end": minima[end]})
    if not found.accepted:
        raise AssertionError(f"the checker does not accept a constructed chain: {found.reason}")


def _check(instance: Instance) -> Outcome:
    """Generic minima: the star centre. A pair of another kind: the three-piece path."""
    minima, Q = minima_of(instance), goal_of(instance)
    chains: list[Sequence[LinearNet]] = []
    if instance["kind"] == "generic":
        centre = linear_star_centre(minima, Q, seed=instance["seed"])
        if centre is not None:
            chains = [(minima[0], centre.net, net) for net in minima[1:]]
    else:
        path = linear_path(minima[0], minima[1], Q, pieces=3, seed=instance["seed"])
        if path is not None:
            chains = [path.knots]
    detail = {"widths": [len(layer) for layer in minima[0][:-1]], "rank": matrix_rank(Q), "minima": len(minima)}
    if not chains:
        return Outcome(Fraction(-1), detail={**detail, "found": False})
    error = max(_error(chain, Q) for chain in chains)
    if not error:
        for k, chain in enumerate(chains, 1):
            _accept(chain, instance, 0, k, 2 if instance["kind"] == "generic" else 3)
    return Outcome(-error, certified=not error, detail=detail)


def _completed(weights: Callable[[int], list[int]]) -> Callable[[Instance], Outcome]:
    """Return the check of: random first layers are completed to a centre by B_L P_k = weights[k] Q - A_L P_{k-1}."""

    def check(instance: Instance) -> Outcome:
        minima, Q = minima_of(instance), goal_of(instance)
        rng = np.random.default_rng(instance["seed"])
        earlier = [random_layer(rng, layer.shape[0], layer.shape[1], exact=True) for layer in minima[0][:-1]]
        last = last_layer(minima, Q, earlier, weights(len(minima[0])))
        if last is None:
            return Outcome(Fraction(-1), detail={"consistent": False})
        return Outcome(-max(_error([net, (*earlier, last)], Q) for net in minima), detail={"consistent": True})

    return check


def _mean(instance: Instance) -> Outcome:
    minima, Q = minima_of(instance), goal_of(instance)
    centre = tuple(sum(layers) * Fraction(1, len(minima)) for layers in zip(*minima, strict=True))
    return Outcome(-max(_error([net, centre], Q) for net in minima))


def _antipodes(instance: Instance) -> Outcome:
    """No centre: the two first-order conditions S_1 = L Q and -S_1 = L Q miss by |Q| at one foot, whatever it is."""
    minima, Q = minima_of(instance), goal_of(instance)
    is_pair = all((A == -B).all() for A, B in zip(*minima, strict=True)) and len(minima[0]) % 2 == 0
    if is_pair:
        return Outcome(-Fraction(abs(Q).max()), detail={"first-order defects add up to": "-2 Q"})
    return _check({**instance, "kind": "generic"})


def _wide_enough(instance: Instance) -> bool:
    minima, Q = minima_of(instance), goal_of(instance)
    needed = _needed_widths(len(minima[0]), Q, len(minima))
    return all(len(layer) >= m for layer, m in zip(minima[0], needed, strict=False))


def _independent(instance: Instance) -> bool:
    return instance["kind"] != "generic" or products_independent(minima_of(instance), goal_of(instance))


MINIMA = Hypothesis("the nets compute Q", compute_q)
WIDE = Hypothesis("m_l >= q (1 + r l) + r (min(c, d) - q) for the r minima, q the rank of Q", _wide_enough)
INDEPENDENT = Hypothesis("star: the pure products of the minima are independent (almost surely so)", _independent)
NONZERO = Hypothesis("Q is not 0", lambda i: any(any(row) for row in i["Q"]))

CLAIM = Claim(
    id="G8",
    statement=(
        "linear nets A_L ... A_1 = Q, Q (c, d) of any rank q, hidden widths m_l >= q (1 + r l) + r (min(c, d) - q) "
        "(l counted from the output if c < d): r minima with independent pure products have a centre joined to each by "
        "a straight segment of minima, so two of them are joined by two pieces; any two minima whatsoever (tried: "
        "antipodal, sharing layers, with dead neurons) by three. Found by linear equations; the checker accepts that "
        "the product is Q identically in t (margin: minus the largest deviation at L + 1 points of each piece, exact)"
    ),
    source="Lin, Li, Wu (2024), Theorems 16 and 18, our formulation; any c, d, rank, and one neuron fewer: proved here",
    instances=_drawn("generic", "generic", "antipodal", "shared layers", "few neurons"),
    shapes=SHAPES,
    hypotheses=(MINIMA, WIDE, INDEPENDENT),
    check=_check,
    controls=(
        Control(
            "one-neuron-fewer",
            "generic first layers can also be completed one neuron below r (L-1) + 1",
            check=_completed(lambda L: [math.comb(L, k) for k in range(L)]),
            hypotheses=(MINIMA, NONZERO),
            instances=_drawn("generic", spare=(-1,)),
            shapes=TIGHT,
        ),
        Control(
            "without-binomials",
            "the coefficients of t^k (1-t)^(L-k) need to be Q, not C(L, k) Q",
            check=_completed(lambda L: [1] * L),
            hypotheses=(MINIMA, NONZERO),
            instances=_drawn("generic"),
            shapes=TIGHT,
        ),
        Control(
            "mean-as-centre",
            "the mean of the minima is a centre",
            check=_mean,
            instances=_drawn("generic"),
        ),
        Control(
            "two-pieces-always",
            "any two minima are joined by two pieces, also antipodal ones (claim G9)",
            check=_antipodes,
            hypotheses=(MINIMA, NONZERO),
            instances=_drawn("generic", "antipodal"),
            shapes=EVEN,
        ),
    ),
    cost=1.5,
)
