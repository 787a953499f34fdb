"""The staircase of connectivity: components and barrier of the optimal set against width, computed twice.

Once from the optimal polytope (:mod:`modeconn.regularised.components`), once from the graph of cells with second-order
cone programs and rigorous intervals (:func:`modeconn.topology.enclosed_level_set`), which knows nothing of polytopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modeconn.regularised.components import OptimalComponents, optimal_components
from modeconn.regularised.optimal_set import OptimalSet, optimal_set
from modeconn.topology import Problem, enclosed_barriers, enclosed_level_set
from modeconn.topology.enclosed import MAX_PROGRAMS, Interval

__all__ = ["RidgeStair", "ridge_staircase"]

ATTAINED = 1e-7
"""A width attains the optimal value if its least objective is within this of it, relative to 1/2 |y|^2."""


@dataclass(frozen=True)
class RidgeStair:
    """One width of the staircase.

    Attributes:
        width: the number m of neurons.
        least: the least objective of this width.
        count: (fewest, most) components of the set of its minimisers that the intervals allow.
        undecided: number of cells and edges that the intervals leave open.
        predicted: components of the global optima from the optimal polytope (all 0 below m*).
        attains: this width reaches the global optimum.
        barrier: at which height above ``least`` the last components join; (0, 0) if there is one.
    """

    width: int
    least: Interval
    count: tuple[int, int]
    undecided: int
    predicted: OptimalComponents
    attains: bool
    barrier: Interval

    @property
    def agrees(self) -> bool:
        """Whether the two computations agree: the same number of components, or the optimum is out of reach."""
        counted = self.predicted.components
        return self.count[0] <= counted <= self.count[1] if self.attains else counted == 0


def ridge_staircase(
    problem: Problem, widths: Iterable[int], found: OptimalSet | None = None, *, max_cells: int = MAX_PROGRAMS
) -> Iterator[RidgeStair]:
    """Yield the topology of the optimal set for several widths.

    Cost: see :func:`enclosed_level_set`; d = 2, n = 5: up to a second at m = 3, some seconds at m = 4.

    Args:
        problem: with ridge > 0 and free output weights.
        widths: numbers of neurons.
        found: its optimal set, if there already.
        max_cells: largest number of cells of one width.

    Example:
        >>> from modeconn.regularised.families import three_component_problem
        >>> for stair in ridge_staircase(three_component_problem("1/10"), [1, 2, 3]):
        ...     print(stair.count, stair.predicted.components, round(stair.barrier[1], 9))
        (1, 1) 1 0.0
        (3, 3) 3 0.00731836
        (1, 1) 1 0.0

    Reference: claims K1 to K5, N4, N5.
    """
    optima = optimal_set(problem) if found is None else found
    half = float(sum(v * v for v in problem.y)) / 2
    for width in widths:
        level_set = enclosed_level_set(problem, width, max_cells=max_cells)
        barrier = (0.0, 0.0)
        if len(level_set.components) > 1:
            lower, upper = enclosed_barriers(level_set).highest
            barrier = (lower - level_set.least[1], upper - level_set.least[0])
        yield RidgeStair(
            width,
            level_set.least,
            level_set.count,
            level_set.undecided,
            optimal_components(optima, width),
            level_set.least[0] <= float(optima.value) + ATTAINED * half,
            barrier,
        )
