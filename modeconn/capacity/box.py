"""The least radius of AdamW's box (both leaves) that reaches a level at a given width.

With k_t neurons of type t, and they may share the work equally, a net of width m fits in the box of radius r iff
|u_t|_inf <= k_t r^2 for integers k_t of sum m. Without integrality this is the linear program of the total gauge,
m r^2 >= V = min sum_t |u_t|_inf: tight for large m, and the lower bound that a dual vector certifies at every m.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from modeconn.capacity.dual import Dual, round_dual
from modeconn.capacity.exact_fit import exact_net, vertex
from modeconn.capacity.inputs import whole_width
from modeconn.capacity.least_radius import SPARE, Capacity, check_level
from modeconn.capacity.net import ExactNet
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.cells.conic import ConicProgram
from modeconn.errors import InputError

__all__ = ["BoxGauge", "box_net", "least_box", "least_gauge_sum", "share_out"]

SEARCHES = 6
"""Integer programs solved while the radius is bisected."""

SECONDS = 0.5
"""Time limit of one integer program."""

SHARP = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
"""Options of the linear programs."""

MANY = 64
"""Beyond so many neurons a width is shared out greedily: rounding up costs little there."""


MOST_NEURONS = 2**14
"""No net of more neurons is built: one of so many is a net of every larger width."""


@dataclass(frozen=True, eq=False)
class BoxGauge:
    """The least total gauge sum_t |u_t|_inf of a net that reaches a level, at any width.

    Attributes:
        system: the data.
        level: loss <= level.
        target: the exact prediction of the optimal net where it is known beforehand (the closest one to y).
        prediction: the same in floats (n,).
        value: float V.
        active: types with u_t != 0.
        u: (k, d).
        dual: exact lower bound on V: nu . y - |nu| sqrt(2 level).
    """

    system: TypeSystem
    level: Fraction
    target: tuple[Fraction, ...] | None
    prediction: Float[np.ndarray, " n"]
    value: float
    active: tuple[int, ...]
    u: Float[np.ndarray, "k d"]
    dual: Dual


class _Linear:
    """Rows of the box program, sparse: variables u (k d), then a gauge a type (k).

    The program is homogeneous, and solvers want numbers near 1: X counts in units of its largest entry, u and the
    gauges in ``unit``, the largest entry of the target over that of X.

    ``predict`` x is the prediction over the largest entry of the target, as ``target`` is (n, .); ``inside`` x <= 0
    says that u_t is in its cone and |u_t|_inf at most the gauge of t; ``walls`` names the first rows of ``inside``:
    (place in active, row of X, largest entry of that row, by which it is divided).
    """

    def __init__(self, system: TypeSystem, active: Sequence[int], target: Float[np.ndarray, " n"]) -> None:
        from scipy import sparse

        k, d = len(active), system.d
        self.x_unit = float(np.abs(system.inputs).max())
        self.y_unit = float(np.abs(target).max())
        self.unit, self.target = self.y_unit / self.x_unit, target / self.y_unit
        sizes = np.abs(system.inputs).max(1)
        normals = [system.walls(t) / sizes[list(system.types[t].walls), None] for t in active]
        sides = (
            sparse.block_diag([sparse.csr_matrix(-rows) for rows in normals], format="csr")
            if k
            else sparse.csr_matrix((0, 0))
        )
        self.walls = [(j, i, float(sizes[i])) for j, t in enumerate(active) for i in system.types[t].walls]
        both = sparse.kron(sparse.eye(k), np.concatenate([np.eye(d), -np.eye(d)]))
        self.gauge = sparse.kron(sparse.eye(k), np.full((2 * d, 1), -1.0)).tocsr()
        self.sides, self.both = sides, both.tocsr()
        self.inside = sparse.bmat([[sides, sparse.csr_matrix((len(self.walls), k))], [both, self.gauge]], format="csr")
        F = np.concatenate(list(system.maps[list(active)] / self.x_unit), axis=1)
        self.predict = np.concatenate([F, np.zeros((system.n, k))], axis=1)

    def multipliers(self, values: Sequence[float] | np.ndarray, count: int, n: int) -> Float[np.ndarray, "t n"]:
        """Return mu of every type, for X itself, from the multipliers of the first rows."""
        mu = np.zeros((count, n))
        for (j, i, size), v in zip(self.walls, values, strict=False):
            mu[j, i] = v / size
        return mu


def least_gauge_sum(system: TypeSystem, level: Fraction = Fraction(0)) -> BoxGauge:
    """Return V = min sum_t |u_t|_inf over nets of loss <= level, with its dual vector rounded exactly.

    At level 0 a linear program; above it the optimal prediction comes from a cone program and the vertex from a linear
    one. Cost: 2 (number of cones) (d + 1) variables.

    Raises:
        InputError: no net of any width reaches the level, or the zero net does.
    """
    level = check_level(system, level)
    closest = system.closest_floats
    everything = tuple(range(len(system.types)))
    value, u, nu, mu = (
        _linear_program(system, closest) if level == system.least_loss else _cone_program(system, level, everything)
    )
    dual = round_dual(system, nu, None, mu)
    if level and level == system.least_loss:
        dual = dual.lengthened()
    sizes = np.abs(u).max(1)
    active = tuple(int(t) for t in np.flatnonzero(sizes > 1e-7 * sizes.max()))
    u = u[list(active)]
    if level > system.least_loss:
        t = vertex(system, active, u)
        keep = np.flatnonzero(t > 1e-9 * t.max())
        active = tuple(active[j] for j in keep)
        u = _cone_program(system, level, active)[1]  # sharper, now that the small ones are gone
    prediction = np.einsum("knd,kd->n", system.maps[list(active)], u)
    target = system.closest if level == system.least_loss else None
    return BoxGauge(system, level, target, prediction, value, active, u, dual)


def _linear_program(system: TypeSystem, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return value, u (t, d), nu (n,) and mu (t, n) of the least total gauge with a given prediction."""
    from scipy.optimize import linprog

    count, d = len(system.types), system.d
    rows = _Linear(system, range(count), target)
    cost = np.concatenate([np.zeros(count * d), np.ones(count)])
    answer = linprog(
        cost, A_ub=rows.inside, b_ub=np.zeros(rows.inside.shape[0]), A_eq=rows.predict, b_eq=rows.target,
        bounds=_bounds(count * d, count), method="highs-ds", options=SHARP,
    )  # fmt: skip
    if answer.status != 0:
        raise InputError(f"box: the linear program gave up ({answer.message}); scale the data")
    mu = rows.multipliers(-answer.ineqlin.marginals, count, system.n)
    u = np.asarray(answer.x[: count * d]).reshape(count, d) * rows.unit
    return float(answer.fun) * rows.unit, u, np.asarray(answer.eqlin.marginals) / rows.x_unit, mu


def _cone_program(
    system: TypeSystem, level: Fraction, active: Sequence[int]
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return value, u (k, d), nu (n,) and mu (k, n) of the least total gauge with loss <= level, a little less."""
    count, d = len(active), system.d
    rows = _Linear(system, active, system.targets)
    size = count * (d + 1)
    program = ConicProgram(size)
    program.add("nonneg", rows.inside.toarray())
    ball = np.concatenate([[math.sqrt(2 * float(level) * (1 - SPARE)) / rows.y_unit], -rows.target])
    program.add("soc", np.concatenate([np.zeros((1, size)), -rows.predict]), ball)
    cost = np.concatenate([np.zeros(count * d), np.ones(count)])
    nothing = np.zeros((size, size))
    found = program.solve(nothing, cost, 1e-11) or program.solve(nothing, cost, 1e-9)
    if found is None:
        raise InputError("box: the cone program gave up; scale the data")
    x, duals = found
    mu = rows.multipliers(duals["nonneg"][0], count, system.n)
    u = x[: count * d].reshape(count, d) * rows.unit
    return float(cost @ x) * rows.unit, u, duals["soc"][0][1:] / rows.x_unit, mu


def _bounds(free: int, positive: int) -> list[tuple[float | None, float | None]]:
    return [(None, None)] * free + [(0, None)] * positive


def share_out(gauges: Sequence[float], width: int) -> list[int] | None:
    """Return integers k_t >= 1 of sum ``width`` with the least max_t gauge_t / k_t, ``None`` if there are too many.

    Example:
        >>> share_out([3.0, 1.0], 4)
        [3, 1]
    """
    if len(gauges) > width:
        return None
    sizes, spare = [Fraction(float(gauge)) for gauge in gauges], width - len(gauges)
    total = sum(sizes) or Fraction(1)
    copies = [max(1, math.floor(size * spare / total)) for size in sizes]  # the greedy choice passes through these
    for _ in range(width - sum(copies)):
        largest = max(range(len(gauges)), key=lambda j: gauges[j] / copies[j])
        copies[largest] += 1
    return copies


def box_net(gauge: BoxGauge, width: int, search: bool = True) -> tuple[Fraction, ExactNet] | None:
    """Return the least radius squared found for a width, exact, and its net; ``None`` if none was found.

    The vertex of the linear program is shared out over the width. Up to width :data:`MANY` the radius is then bisected
    with an integer program for the k_t (``search``), which is exact as far as its time limit allows. Beyond width
    :data:`MOST_NEURONS` the net has no more neurons than that.
    """
    width = min(whole_width(width), MOST_NEURONS)
    sizes = np.abs(gauge.u).max(1)
    copies = share_out(sizes.tolist(), width)
    trials = [] if copies is None else [(gauge.active, copies)]
    if search and width <= MANY:
        start = None if copies is None else float(max(sizes / copies))
        trials += _integer_trials(gauge, width, start)
    found = [net for active, chosen in trials if (net := _shared_net(gauge, active, chosen)) is not None]
    return min(found, key=lambda pair: pair[0], default=None)


Trials = list[tuple[tuple[int, ...], list[int]]]
"""Types with their numbers of copies."""


def _integer_trials(gauge: BoxGauge, width: int, start: float | None) -> Trials:
    """Return the copies at the least radius squared p found by bisection: |u_t|_inf <= p k_t, sum k_t <= width."""
    low = gauge.value / width
    high = 16 * gauge.value if start is None else start
    if high <= low * (1 + 1e-9):
        return []
    best: Trials = []
    for step in range(SEARCHES):
        p = high if step == 0 and start is None else math.sqrt(low * high)
        found = _some_copies(gauge, p, width)
        if found is not None:
            best, high = [found], p
        elif p == high:
            return []
        else:
            low = p
        if high <= low * (1 + 1e-2):
            break
    return best


def _some_copies(gauge: BoxGauge, p: float, width: int) -> tuple[tuple[int, ...], list[int]] | None:
    """Return types and copies, at most ``width`` in sum, that fit in the box of radius squared p; ``None`` if none."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    system = gauge.system
    count, d = len(system.types), system.d
    rows = _Linear(system, range(count), gauge.prediction)
    scale = sparse.diags(np.concatenate([np.ones(count * d), np.full(count, p / rows.unit)]))
    total = np.concatenate([np.zeros(count * d), np.ones(count)])
    answer = milp(
        total,
        integrality=total,
        bounds=Bounds(np.concatenate([np.full(count * d, -np.inf), np.zeros(count)]), np.inf),
        constraints=[
            LinearConstraint(rows.inside @ scale, -np.inf, 0.0),
            LinearConstraint(rows.predict, rows.target, rows.target),
            LinearConstraint(total[None, :], 0, width),
        ],
        options={"time_limit": SECONDS, "mip_rel_gap": 0.5},
    )
    if answer.x is None:
        return None
    copies = np.rint(answer.x[count * d :]).astype(int)
    active = tuple(int(t) for t in np.flatnonzero(copies))
    return active, copies[list(active)].tolist()


def _shared_net(gauge: BoxGauge, active: Sequence[int], copies: Sequence[int]) -> tuple[Fraction, ExactNet] | None:
    """Return r^2 and the best exact net with so many copies of each type: one more linear program, min r^2."""
    from scipy import sparse
    from scipy.optimize import linprog

    system, k = gauge.system, len(active)
    rows, free = _Linear(system, active, gauge.prediction), k * system.d
    weights = sparse.csr_matrix(np.asarray(copies, float)[:, None])
    inside = sparse.bmat([[rows.sides, None], [rows.both, rows.gauge @ weights]], format="csr")
    F = np.concatenate([rows.predict[:, :free], np.zeros((system.n, 1))], axis=1)
    cost = np.concatenate([np.zeros(free), np.ones(1)])
    answer = linprog(
        cost, A_ub=inside, b_ub=np.zeros(inside.shape[0]), A_eq=F, b_eq=rows.target,
        bounds=_bounds(free, 1), method="highs-ds", options=SHARP,
    )  # fmt: skip
    candidates = [] if answer.status != 0 else [np.asarray(answer.x[:-1]).reshape(k, system.d) * rows.unit]
    if tuple(active) == gauge.active:
        candidates.append(gauge.u)
    found = []
    for u in candidates:
        net = exact_net(system, active, u, np.ones(k), gauge.target, copies)
        if net is not None and net.loss <= gauge.level:
            square = max(abs(v) for neuron in net.neurons for v in neuron.u)
            found.append((square, ExactNet(system, tuple(n._replace(beta=square) for n in net.neurons))))
    return min(found, key=lambda pair: pair[0], default=None)


def least_box(gauge: BoxGauge, width: int, search: bool = True) -> Capacity:
    """Return the least radius of a box (both leaves) with a net of the width and loss <= level.

    The lower end is V / width, certified by the dual vector; the upper end an explicit net. Integrality keeps them
    apart at small widths; they meet as the width grows, up to :data:`MOST_NEURONS`, the most that a net is built with.

    Args:
        gauge: the answer of :func:`least_gauge_sum`, which serves all widths.
        width: m.
        search: look for a better net with integer programs at small widths, a second or two.

    Example:
        >>> from modeconn.capacity import type_system
        >>> gauge = least_gauge_sum(type_system([[1], [-1]], [1, 1]))  # |x|: V = 2
        >>> [(float(c.square_lower), float(c.square_upper)) for c in (least_box(gauge, m) for m in (2, 3))]
        [(1.0, 1.0), (0.666666666666666, 1.0)]

    Reference: claim R2.
    """
    width = whole_width(width)
    lower = gauge.dual.product_bound(gauge.level, width**2)
    found = box_net(gauge, width, search)
    square, net = (None, None) if found is None else found
    return Capacity("linf", width, gauge.level, lower, square, gauge.dual, net)
