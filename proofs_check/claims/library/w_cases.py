"""Pairs of wide nets for the claims about spectral-type regions: degenerate on purpose, each joined once."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.constructions import Connection, GramPath, Pair, checked_pair, connect_pair, problem_to_json
from modeconn.nets import Net
from proofs_check.claims.claim import Instance, Shape
from proofs_check.claims.library.narrow_problems import ROWS
from proofs_check.claims.library.r_cases import Rejected, accept
from proofs_check.claims.library.w_exact import Matrix, exact, loss_of, sums_of

__all__ = [
    "ALLOWANCE",
    "BALANCED",
    "REGIONS",
    "ROUTES",
    "SHAPES",
    "Joined",
    "build_pair",
    "functionals",
    "join",
    "nets_of",
    "pair_of",
    "radius_around",
    "region_of",
    "wide_pairs",
]

SHAPES: tuple[Shape, ...] = ((1, 1, 1), (2, 1, 1), (3, 2, 1), (2, 2, 2), (4, 2, 2), (3, 3, 1))
"""Numbers of data points, inputs and outputs."""

REGIONS = ("spectral", "frobenius", "schatten:4", "spectral/frobenius", "joint")
"""One norm for both leaves, one for W and one for A, or the joint Frobenius ball."""

ROUTES: dict[str, int | None] = {"tau-climb": 0, "edge-walk": 1, "disjoint-slots": None, "auto": 0}
"""Construction -> width, as what is added to N (``None``: twice N)."""

BALANCED = "balanced-climb"
"""The route for width N - 1, :func:`modeconn.constructions.balanced_climb`."""

NETS = ("plain", "dead", "rank-one", "twins")
"""Ways to draw the pair: independent nets, with dead and zero neurons, W of rank one, or the same neurons permuted."""

ALLOWANCE = Fraction(1, 10**9)
"""For rounding: of the level relative to the losses of the worse end and of the zero net, and of the radii."""


def functionals(shape: Shape, region: str) -> int:
    """Return N of theory W1 for a region of :data:`REGIONS`; d counts a bias.

    Example:
        >>> [functionals((4, 2, 2), region) for region in REGIONS]
        [14, 10, 14, 12, 9]
    """
    n, d, c = shape
    if region == "joint":
        return n * c + 1
    hidden, _, output = region.partition("/")
    kinds = {"W": (hidden, d), "A": (output or hidden, c)}
    return n * c + sum(1 if norm == "frobenius" else k * (k + 1) // 2 for norm, k in kinds.values())


def wide_pairs(
    shape: Shape,
    regions: Sequence[str] = REGIONS,
    routes: Sequence[str] = tuple(ROUTES),
    nets: Sequence[str] = NETS,
    biases: Sequence[bool] = (False, False, True),
) -> SearchStrategy[Instance]:
    """Return instances ``{"X", "Y", "net0", "net1", "region", "route"}``: data in small integers, weights in eighths.

    The width is the least for which the route is sure: N - 1, N, N + 1 or 2 N.
    """
    choices = (st.sampled_from(list(values)) for values in (tuple(ROWS), regions, routes, nets, biases))
    return st.builds(build_pair, st.just(shape), *choices, st.integers(0, 2**32 - 1))


def build_pair(shape: Shape, rows: str, region: str, route: str, nets: str, bias: bool, seed: int) -> dict[str, Any]:
    """Return the instance of shape (n, d, c) that belongs to a seed, of the least width for which the route is sure."""
    n, d, c = shape
    rng = np.random.default_rng(seed)
    N = functionals((n, d + bias, c), region)
    more = -1 if route == BALANCED else ROUTES[route]
    m = 2 * N if more is None else N + more
    pair = [_draw_net(rng, nets, d, c, m, bias) for _ in range(2)]
    if nets == "twins":
        order = rng.permutation(m)
        pair[1] = {key: np.take(leaf, order, -1) for key, leaf in pair[0].items()}
    ends = [{key: (leaf / 8).tolist() for key, leaf in net.items()} for net in pair]
    X, Y = ROWS[rows](rng, n, d), rng.integers(-2, 3, (n, c))
    data = {"X": X.tolist(), "Y": Y.tolist()}
    return {**data, "net0": ends[0], "net1": ends[1], "region": region, "route": route}


def _draw_net(rng: np.random.Generator, kind: str, d: int, c: int, m: int, bias: bool) -> dict[str, np.ndarray]:
    """Return leaves in whole numbers."""
    W, A, b = (rng.integers(-8, 9, size) for size in ((d, m), (c, m), (m,)))
    if kind == "rank-one":
        W = rng.integers(-2, 3, (d, 1)) * rng.integers(-3, 4, (1, m))
    if kind == "dead":
        W[:, rng.random(m) < 0.3] = 0
        A[:, rng.random(m) < 0.3] = 0
    return {"W": W, "A": A, "b": b} if bias else {"W": W, "A": A}


def nets_of(instance: Instance) -> tuple[Net, Net]:
    """Return the two nets."""
    return _net(instance["net0"]), _net(instance["net1"])


def _net(leaves: Mapping[str, Any]) -> Net:
    arrays: dict[str, Any] = {key: np.array(leaf, np.float64) for key, leaf in leaves.items()}
    return Net(**arrays)


def radius_around(values: Sequence[float]) -> str:
    """Return a decimal just above the largest of some norms, found in floats."""
    largest = max(values)
    if largest == 0:
        return "1"
    digits = 12 - math.ceil(math.log10(largest))
    return str(Fraction(math.ceil(largest * (1 + 4e-12) * 10**digits), 10**digits))


def region_of(instance: Instance) -> Any:
    """Return the region as JSON values: the instance's own, or the least of its kind around both nets."""
    if not isinstance(instance["region"], str):
        return instance["region"]
    leaves: dict[str, list[np.ndarray]] = {"W": [], "A": []}
    for net in nets_of(instance):
        W = np.asarray(net.W) if net.b is None else np.vstack([net.W, net.b])
        leaves["W"].append(W)
        leaves["A"].append(np.asarray(net.A))
    if instance["region"] == "joint":
        both = [math.hypot(*map(np.linalg.norm, pair)) for pair in zip(*leaves.values(), strict=True)]
        return {"joint": {"norm": "frobenius", "radius": radius_around(both)}}
    hidden, _, output = instance["region"].partition("/")
    norms = {"W": hidden, "A": output or hidden}
    return {
        leaf: {"norm": norm, "radius": radius_around([_norm(norm, matrix) for matrix in leaves[leaf]])}
        for leaf, norm in norms.items()
    }


def _norm(name: str, matrix: np.ndarray) -> float:
    values = np.linalg.svd(matrix, compute_uv=False)
    order = {"spectral": np.inf, "frobenius": 2.0}.get(name) or float(name.partition(":")[2])
    return float(np.linalg.norm(values, order))


class Joined(NamedTuple):
    """A pair with its path.

    Attributes:
        pair: folded, in floats.
        problem: the same for the checker.
        found: the connection, with a path.
        X: data in rationals, a column of ones last if there is a bias.
        Y: targets.
        losses: of net0 and net1, exactly.
    """

    pair: Pair
    problem: dict[str, Any]
    found: Connection
    X: Matrix
    Y: Matrix
    losses: tuple[Fraction, Fraction]

    @property
    def level(self) -> Fraction:
        """Return the loss of the worse end."""
        return max(self.losses)

    @property
    def scale(self) -> Fraction:
        """Return what the level is measured by: the losses of the worse end and the zero net together, or 1."""
        return self.level + loss_of([[Fraction(0)] * len(self.Y[0]) for _ in self.Y], self.Y) or Fraction(1)

    @property
    def rounding(self) -> Fraction:
        """Return what rounding adds: to the worse end's loss, relatively, or to the radii."""
        level, slack = self.found.level, self.found.radius_slack
        assert level is not None, "joined"
        assert slack is not None, "joined"
        return max((level - self.level) / self.scale, slack)

    @property
    def path(self) -> GramPath:
        """Return the path, which is straight in the Gram matrices."""
        assert isinstance(self.found.path, GramPath)
        return self.found.path


def pair_of(instance: Instance) -> Pair:
    """Return the pair in its region."""
    return checked_pair(*nets_of(instance), instance["X"], instance["Y"], region_of(instance))


def join(instance: Instance) -> Joined:
    """Return the pair with the path of its route, accepted by the checker and confirmed by forward passes.

    Raises:
        Rejected: no path, a certificate that the checker refused, or losses of forward passes above its level.
    """
    return _join(json.dumps(instance, sort_keys=True))


@lru_cache(maxsize=128)
def _join(text: str) -> Joined:
    instance: Mapping[str, Any] = json.loads(text)
    pair = pair_of(instance)
    found = connect_pair(pair, instance["route"])
    if not found.joined:
        raise Rejected(f"{instance['route']}, width {pair.width}: {found.reason}")
    problem = problem_to_json(*nets_of(instance), instance["X"], instance["Y"], region_of(instance))
    accept(found.certificate(), problem)
    X, Y = exact(pair.X), exact(pair.Y)
    first, last = (
        loss_of(sums_of(exact(W), exact(A), X).prediction, Y) for W, A in ((pair.W0, pair.A0), (pair.W1, pair.A1))
    )
    joined = Joined(pair, problem, found, X, Y, (first, last))
    _pass_forward(joined)
    return joined


def _pass_forward(joined: Joined) -> None:
    """Raise :class:`Rejected` when a forward pass between the knots finds a loss above the level."""
    path, pair = joined.found.path, joined.pair
    assert path is not None, "joined"
    nets = path.nets(np.linspace(0, path.pieces, 4 * path.pieces + 1))
    bias = 0.0 if nets.b is None else np.asarray(nets.b)[:, None]
    X = pair.X if nets.b is None else pair.X[:, :-1]
    F = np.maximum(X @ np.asarray(nets.W) + bias, 0.0) @ np.moveaxis(np.asarray(nets.A), 1, 2)
    worst = float((0.5 * ((F - pair.Y) ** 2).sum((1, 2))).max())
    level = float(joined.level + joined.rounding * joined.scale)
    if worst > level + 1e-9 * float(joined.scale):
        raise Rejected(f"forward passes find a loss of {worst:.17g} above the level {level:.17g}")
