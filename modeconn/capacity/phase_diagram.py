"""Where the level sets of AdamW and Muon meet, over (lambda_A, lambda_M, width), every decided cell with certificates.

S_A(c) are the nets of width m with loss <= c in the box of radius 1/lambda_A (both leaves), S_M(c) those in the
spectral ball of radius 1/lambda_M. A cell of the diagram is

* ``overlap``: a net in both is shown ("attained", with both regions);
* ``disjoint``: they do not meet, and at least one of them is not empty:
  - ``ball empty``: no net in the ball reaches c ("least-radius"), a net in the box does ("attained");
  - ``box empty``: the other way round;
  - ``apart``: nets in each are shown, but a common one would have hidden matrix in the ball and output weights in the
    box (or the other way round), and such nets need a larger product r_M r_A ("least-radius" with mixed norms);
* ``empty``: neither has a net, by two "least-radius" certificates;
* ``undecided``: none of the above was shown; nothing is said about it.

At c the least loss of all nets, ``ball empty`` says that the optimal sets of the two optimizers are at different losses
(claim R2). A certificate serves many cells: what is attained is attained in every larger region and at every larger
width, what is not attained in no smaller one. So a few programs decide the diagram.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from modeconn.capacity.box import least_box, least_gauge_sum
from modeconn.capacity.inputs import exact_radius, whole_width
from modeconn.capacity.least_radius import Capacity, check_level, least_radius
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.phase_facts import CertifiedFact, FactBook, add_ball_net, add_bounds, add_meetings
from modeconn.errors import InputError
from modeconn.reporter import SILENT, Reporter

__all__ = ["VERDICTS", "PhaseCell", "PhaseDiagram", "phase_diagram"]

VERDICTS = ("overlap", "disjoint", "empty", "undecided")


@dataclass(frozen=True)
class PhaseCell:
    """One cell.

    Attributes:
        lambda_A: weight decay of AdamW; the box has radius 1/lambda_A.
        lambda_M: weight decay of Muon.
        width: m.
        verdict: one of :data:`VERDICTS`.
        reason: which kind of ``disjoint``; otherwise the verdict.
        certificates: names of the certificates that decide it.
    """

    lambda_A: Fraction
    lambda_M: Fraction
    width: int
    verdict: str
    reason: str
    certificates: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PhaseDiagram:
    """The diagram of a data set.

    Attributes:
        system: the data.
        level: loss <= level.
        cells: one for each (width, lambda_M, lambda_A).
        facts: the certificates that cells name, by name.
        ball: the least radius of the ball, any width.
        boxes: the least radius of the box at each width.
    """

    system: TypeSystem
    level: Fraction
    cells: tuple[PhaseCell, ...]
    facts: dict[str, CertifiedFact]
    ball: Capacity
    boxes: dict[int, Capacity]

    def counts(self) -> dict[str, int]:
        """Return the number of cells of each verdict."""
        return {verdict: sum(cell.verdict == verdict for cell in self.cells) for verdict in VERDICTS}

    def rows(self) -> list[dict[str, Any]]:
        """Return the cells as rows of JSON values; decays as the numbers they were given as, and as floats."""
        return [
            {
                "width": cell.width,
                "lambda_A": float(cell.lambda_A),
                "lambda_M": float(cell.lambda_M),
                "lambda_A_exact": str(cell.lambda_A),
                "lambda_M_exact": str(cell.lambda_M),
                "verdict": cell.verdict,
                "reason": cell.reason,
                "certificates": " ".join(cell.certificates),
            }
            for cell in self.cells
        ]

    def thresholds(self) -> list[dict[str, Any]]:
        """Return, for each width, the certified ends of the decays from which ball and box are empty.

        Below ``lambda_attained`` a net is known, above ``lambda_empty`` there is none (to 15 digits).
        """
        found = []
        for width, box in self.boxes.items():
            for name, capacity in (("muon", self.ball), ("adamw", box)):
                known = capacity.square_upper is not None and (capacity.width or self._ball_width) <= width
                found.append(
                    {
                        "optimizer": name,
                        "width": width,
                        "lambda_attained": 1 / capacity.upper if known else None,
                        "lambda_empty": 1 / capacity.lower if capacity.lower else None,
                    }
                )
        return found

    @property
    def _ball_width(self) -> int:
        return 0 if self.ball.net is None else self.ball.net.width


def phase_diagram(
    system: TypeSystem,
    lambdas_A: Sequence[Fraction],
    lambdas_M: Sequence[Fraction],
    widths: Sequence[int],
    level: Fraction = Fraction(0),
    *,
    search: bool = True,
    reporter: Reporter = SILENT,
) -> PhaseDiagram:
    """Return which cells of (lambda_A, lambda_M, width) are certified to overlap, to be disjoint, to be empty.

    Cost: one semidefinite program for the ball, one linear program for the box, and one convex program for every
    lambda_M, followed by small ones for every width.

    Args:
        system: the data.
        lambdas_A: decays of AdamW, positive.
        lambdas_M: decays of Muon, positive.
        widths: widths m >= 1.
        level: loss <= level; at least the least loss of all nets.
        search: look for better nets in the box with integer programs at small widths.
        reporter: told of every program.

    Raises:
        InputError: an axis is empty or not positive; no net of any width reaches the level, or the zero net does.

    Example:
        >>> from modeconn.capacity import type_system
        >>> system = type_system([[1], [-1]], [1, 1])  # |x|: r_M^2 >= 2, m r_A^2 >= 2
        >>> found = phase_diagram(system, [Fraction(1, 2), Fraction(2)], [Fraction(1, 2), Fraction(1)], [2])
        >>> [(str(c.lambda_A), str(c.lambda_M), c.verdict, c.reason) for c in found.cells]
        [('1/2', '1/2', 'overlap', 'overlap'), ('2', '1/2', 'disjoint', 'box empty'),
         ('1/2', '1', 'disjoint', 'ball empty'), ('2', '1', 'empty', 'empty')]

    Reference: claims R1 to R4.
    """
    for name, axis in (("lambdas_A", lambdas_A), ("lambdas_M", lambdas_M), ("widths", widths)):
        if not len(axis):
            raise InputError(f"{name}: expected at least one number, found none")
    lambdas_A = sorted({exact_radius(v, "lambdas_A") for v in lambdas_A})
    lambdas_M = sorted({exact_radius(v, "lambdas_M") for v in lambdas_M})
    widths = sorted({whole_width(width, "widths") for width in widths})
    level = check_level(system, level)
    known = FactBook(level)
    task = "phase diagram"
    reporter.start(task, 2 + len(widths) * (1 + len(lambdas_M)) + len(lambdas_M))
    ball = least_radius(system, level)
    reporter.advance(task)
    gauge = least_gauge_sum(system, level)
    reporter.advance(task)
    boxes = {}
    for width in widths:
        boxes[width] = least_box(gauge, width, search)
        add_bounds(known, ball, boxes[width], width)
        add_ball_net(known, ball, boxes[width], width)
        reporter.advance(task)
    add_meetings(known, ball, boxes, lambdas_A, lambdas_M, reporter, task)
    reporter.finish(task)
    cells = tuple(
        _decide(known, lambda_A, lambda_M, width)
        for width in widths
        for lambda_M in lambdas_M
        for lambda_A in lambdas_A
    )
    named = {name for cell in cells for name in cell.certificates}
    facts = {name: fact for name, fact in known.facts.items() if name in named}
    return PhaseDiagram(system, level, cells, facts, ball, boxes)


def _decide(known: FactBook, lambda_A: Fraction, lambda_M: Fraction, width: int) -> PhaseCell:
    """Return the verdict that the facts allow."""
    box, ball = 1 / lambda_A, 1 / lambda_M

    def cell(verdict: str, reason: str, *facts: CertifiedFact) -> PhaseCell:
        return PhaseCell(lambda_A, lambda_M, width, verdict, reason, tuple(fact.name for fact in facts))

    both = known.attained(box, ball, width)
    if both is not None:
        return cell("overlap", "overlap", both)
    no_box, no_ball = known.excluded("box", box**2, width), known.excluded("ball", ball**2, width)
    if no_box is not None and no_ball is not None:
        return cell("empty", "empty", no_box, no_ball)
    in_box, in_ball = known.attained(box, None, width), known.attained(None, ball, width)
    if no_ball is not None and in_box is not None:
        return cell("disjoint", "ball empty", no_ball, in_box)
    if no_box is not None and in_ball is not None:
        return cell("disjoint", "box empty", no_box, in_ball)
    apart = known.excluded("both", box * ball, width)
    if apart is not None and in_box is not None and in_ball is not None:
        return cell("disjoint", "apart", apart, in_box, in_ball)
    return cell("undecided", "undecided")
