"""One neuron fewer than the tau climb, for products of two balls of one kind: climb in a larger set, then balance.

Muon's ball {|W|_op <= r_W, |alpha|_2 <= r_A} of nets with one output: **every sublevel set is connected for
m >= N - 1 = n + d (d + 1) / 2** (and for m >= n + 1 in a product of two Frobenius balls). *Proof.* The map
(w_j, alpha_j) -> (c w_j, alpha_j / c), one c > 0 for all neurons, keeps the prediction. So theta is carried into the
region by some c iff lambda_max(W W^T) |alpha|^2 <= r_W^2 r_A^2, and, by the means, the larger set

    K2 = {W W^T / r_W^2 + (|alpha|^2 / r_A^2) I <= 2 I}

retracts onto the nets of the region with both norms equal (relative to the radii) by the balancing c; inside the region
c moves monotonically from 1 to there. So a sublevel set is connected in the region iff it is in K2. But K2 is a
convex condition on N - 1 functionals, (relu(X w) alpha, w w^T / r_W^2 + (alpha^2 / r_A^2) I), homogeneous of degree 2,
and monotone in W W^T: the proof of W1 with the tau climb applies with N - 1 in place of N. (Several outputs: the same
with lambda_max(W W^T) / r_W^2 + lambda_max(A A^T) / r_A^2 <= 2, which adding x r_W^2 I to one Gram matrix and taking
x r_A^2 I off the other does not change: one functional fewer again. The algorithm here is for one output.)

:func:`balanced_climb` is that proof as an algorithm. Its path has straight pieces in (u, beta), u = |alpha| w,
beta = alpha^2, in which balancing only divides beta by c^2, so it has a certificate of kind "cell-path".

N - 1 is sharp for Muon: d = 1, X = (1, -1)^T is disconnected at m = 2 = N - 2, and three unit rows at 120 degrees
at m = 5 = N - 2 (``modeconn reproduce sharpness``).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from modeconn.constructions.acceptance import moved_by_rounding
from modeconn.constructions.cell_level import knot_loss_bounds, slack_of_path
from modeconn.constructions.cell_path import CellPath, cell_path
from modeconn.constructions.cell_state import CellState
from modeconn.constructions.connection import Connection
from modeconn.constructions.functionals import Functionals
from modeconn.constructions.gram_path import GramPath
from modeconn.constructions.pair import Pair
from modeconn.constructions.recombination import recombine
from modeconn.constructions.reduction import ReducedPair
from modeconn.constructions.tau_climb import join_over_the_top
from modeconn.constructions.wide_region import WideRegion
from modeconn.errors import InputError

__all__ = ["BalancedFunctionals", "balanced_climb"]


@dataclass(frozen=True)
class BalancedFunctionals(Functionals):
    """The functionals that K2 depends on: (relu(X w) alpha, w w^T / r_W^2 + (alpha^2 / r_A^2) I), or their traces.

    Attributes:
        hidden_radius: r_W.
        output_radius: r_A.
    """

    hidden_radius: float = 1.0
    output_radius: float = 1.0

    def count(self, n: int, d: int, c: int) -> int:
        """Return n + d (d + 1) / 2, or n + 1 for Frobenius balls.

        Example:
            >>> BalancedFunctionals("gram", "gram").count(3, 2, 1), Functionals("gram", "gram").count(3, 2, 1)
            (6, 7)
        """
        return n * c + (d * (d + 1) // 2 if self.hidden == "gram" else 1)

    def features(
        self, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "1 m"], X: Float[np.ndarray, "n d"]
    ) -> Float[np.ndarray, "N m"]:
        """Return the functionals of every neuron, a column each."""
        w, a = W / self.hidden_radius, (A[0] / self.output_radius) ** 2
        prediction = np.maximum(X @ W, 0.0) * A
        if self.hidden != "gram":
            return np.concatenate([prediction, ((w * w).sum(0) + a)[None]])
        i, j = np.triu_indices(len(W))
        block = np.where((i == j)[:, None], w[i] * w[j] + a, math.sqrt(2.0) * w[i] * w[j])
        return np.concatenate([prediction, block])

    def shrinking(self, n: int, d: int, c: int) -> Float[np.ndarray, " N"]:
        """Return the direction (0, I)."""
        direction = np.zeros(self.count(n, d, c))
        i, j = np.triu_indices(d)
        direction[n * c :] = (i == j).astype(float) if self.hidden == "gram" else 1.0
        return direction


def balanced_climb(pair: Pair) -> Connection:
    """Return the path between two nets of one output in Muon's ball or a product of Frobenius balls; m >= N - 1.

    Args:
        pair: with one spectral ball for each leaf, or one Frobenius ball for each.

    Raises:
        InputError: another region, or several outputs.

    Example:
        >>> from modeconn.constructions import checked_pair, connect_pair
        >>> from modeconn.nets import Net
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.normal(size=(2, 6)) / 4, rng.normal(size=(1, 6)) / 4) for _ in range(2)]
        >>> pair = checked_pair(*nets, rng.normal(size=(3, 2)), np.zeros(3), "spectral:2")  # N = 7
        >>> connect_pair(pair, "tau-climb").needed, balanced_climb(pair).needed, balanced_climb(pair).joined
        (7, 6, True)

    Reference: claim W1B; the proof in the module's docstring.
    """
    balls = [*pair.region.over("W"), *pair.region.over("A")]
    kinds = [ball.norm for ball in balls]
    if pair.outputs != 1 or kinds not in (["spectral", "spectral"], ["frobenius", "frobenius"]):
        raise InputError(
            f"balanced climb: expected one output and a spectral (or Frobenius) ball for each leaf, found "
            f"{pair.region} with {pair.outputs} outputs; use connect"
        )
    radii = [float(ball.radius) for ball in balls]
    if kinds[0] == "spectral":
        rule = BalancedFunctionals("gram", "gram", *radii)
    else:
        rule = BalancedFunctionals("trace", "trace", *radii)
    features = rule.features(pair.W0, pair.A0, pair.X), rule.features(pair.W1, pair.A1, pair.X)
    twice = WideRegion(tuple(dataclasses.replace(ball, radius=2 * ball.radius) for ball in balls))
    wider = dataclasses.replace(pair, region=twice, shared={})  # K2 is inside
    found = join_over_the_top(ReducedPair(wider, rule, features, (recombine(features[0]), recombine(features[1]))))
    if not isinstance(found.path, GramPath):
        return dataclasses.replace(found, construction="balanced-climb")
    path = _balanced(found.path, pair, kinds[0], radii)
    losses, slack = knot_loss_bounds(pair, path.states), slack_of_path(pair, path)
    moved = moved_by_rounding(pair, losses, slack)
    if moved is not None:
        return dataclasses.replace(
            found, path=None, construction="balanced-climb", level=None, radius_slack=None, knot_losses=(), reason=moved
        )
    return dataclasses.replace(
        found,
        path=path,
        construction="balanced-climb",
        level=Fraction(max(losses)),
        radius_slack=slack,
        knot_losses=losses,
    )


def _balanced(path: GramPath, pair: Pair, norm: str, radii: list[float]) -> CellPath:
    """Return the knots in (u, beta) with beta over c^2, c such that both norms are equal relative to their radii."""
    knots = []
    for base, t in zip(path.base, path.t, strict=True):
        w, a = path.W[:, base], path.A[0, base]
        singular = np.linalg.svd(w * np.sqrt(t), compute_uv=False)
        hidden = float(singular[0] if norm == "spectral" else np.linalg.norm(singular)) / radii[0]
        output = float(np.linalg.norm(a * np.sqrt(t))) / radii[1]
        beta = t * a**2 * (hidden / output if output > 0 else 0.0)  # over c^2; the limit where a norm is 0
        u = np.where(beta > 0, _short(t * np.abs(a)) * w, 0.0).T
        knots.append(CellState(u, beta, np.where((a < 0) & (beta > 0), -1.0, 1.0)))
    return cell_path((pair.W0, pair.A0), knots, (pair.W1, pair.A1), pair.has_bias)


def _short(x: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Return x rounded to 44 bits: times weights of few bits it is exact, so neurons on a hyperplane stay on it."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(np.ldexp(mantissa, 44)), exponent - 44)
