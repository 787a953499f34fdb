"""Certified facts about two regions, and what they decide for other radii and widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from modeconn.capacity.dual import Norm, dual_certificate
from modeconn.capacity.exact_fit import exact_net
from modeconn.capacity.least_radius import SPARE, Capacity
from modeconn.capacity.meeting import meeting, meeting_net, with_fewer_types
from modeconn.capacity.net import ExactNet, ball_json
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.program import ball_program
from modeconn.capacity.rounding import decimal_root
from modeconn.reporter import Reporter

__all__ = ["CertifiedFact", "FactBook", "add_ball_net", "add_bounds", "add_meetings"]


@dataclass(frozen=True, eq=False)
class CertifiedFact:
    """A certificate with the problem it is checked against, and the cells it speaks about.

    Attributes:
        name: file name without suffix.
        certificate: JSON object of kind "attained" or "least-radius".
        problem: JSON object.
        width: "attained": from this width on; "least-radius": up to it (``None``: every width).
        box: "attained": the net is in the box of this radius (``None``: not looked at).
        ball: "attained": the net is in the ball of this radius (``None``: not looked at).
        excludes: "least-radius": what holds no net if ``product`` is above the product of the two radii: those of the
            leaves of the "box" or of the "ball"; "both" at once, if it is above r_M r_A.
        product: "least-radius": the bound.
    """

    name: str
    certificate: dict[str, Any]
    problem: dict[str, Any]
    width: int | None
    box: Fraction | None = None
    ball: Fraction | None = None
    excludes: Literal["box", "ball", "both"] | None = None
    product: Fraction = Fraction(0)


@dataclass(eq=False)
class FactBook:
    """The facts found so far, and what they decide."""

    level: Fraction
    facts: dict[str, CertifiedFact] = field(default_factory=dict)

    def add(self, fact: CertifiedFact) -> None:
        self.facts[fact.name] = fact

    def attained(self, box: Fraction | None, ball: Fraction | None, width: int) -> CertifiedFact | None:
        """Return a net in the box and in the ball (``None``: anywhere) that is known."""
        for fact in self.facts.values():
            if fact.excludes is None and fact.width is not None and fact.width <= width:
                fits_box = box is None or (fact.box is not None and fact.box <= box)
                fits_ball = ball is None or (fact.ball is not None and fact.ball <= ball)
                if fits_box and fits_ball:
                    return fact
        return None

    def excluded(self, where: str, product: Fraction, width: int) -> CertifiedFact | None:
        """Return why there is no net in "box", "ball" or "both", if that is known for this product of radii."""
        for fact in self.facts.values():
            if fact.excludes == where and product < fact.product and (fact.width is None or width <= fact.width):
                return fact
        return None


def add_bounds(known: FactBook, ball: Capacity, box: Capacity, width: int) -> None:
    """Add the lower bounds on the ball (once), on the box, on mixed products, and the net in the box."""
    system, level = ball.dual.system, known.level
    problem = system.to_json()
    if "ball-empty" not in known.facts and ball.square_lower > 0:
        certificate, bound = ball.lower_certificate(), ball.square_lower
        known.add(CertifiedFact("ball-empty", certificate, problem, None, excludes="ball", product=bound))
    if box.square_lower > 0:
        certificate, bound = box.lower_certificate(), box.square_lower
        known.add(CertifiedFact(f"box-empty-m{width}", certificate, problem, width, excludes="box", product=bound))
    others: list[tuple[Capacity, Norm]] = [(ball, "linf"), (box, "spectral")]
    for capacity, A in others:
        product = capacity.dual.product_bound(level, width)
        if product > 0:
            certificate = dual_certificate(capacity.dual, level, width, A)
            name = f"apart-W-{capacity.norm}-A-{A}-m{width}"
            known.add(CertifiedFact(name, certificate, problem, width, excludes="both", product=product))
    if box.net is not None and box.square_upper is not None:
        certificate, setting = box.upper_certificate()
        radius = decimal_root(box.square_upper, up=True)
        known.add(CertifiedFact(f"box-m{width}", certificate, setting, width, box=radius))


def add_ball_net(known: FactBook, ball: Capacity, box: Capacity, width: int) -> None:
    """Add a net in the ball: the one of the least radius, or one with fewer neurons where the width is small."""
    system, level = ball.dual.system, known.level
    nets = [ball.net]
    if ball.net is None or ball.net.width > width:
        starts = [net.shape[0] for net in (ball.net, box.net) if net is not None]
        nets = [_narrow_ball_net(system, level, width, types) for types in starts]
    radii = [(decimal_root(net.ball_square(), up=True), net) for net in nets if net is not None]
    if not radii:
        return
    radius, net = min(radii, key=lambda pair: pair[0])
    if known.attained(None, radius, width) is None:
        problem = net.problem(ball_json("spectral", radius))
        known.add(CertifiedFact(f"ball-m{width}", net.certificate(level, width), problem, width, ball=radius))


def _narrow_ball_net(system: TypeSystem, level: Fraction, width: int, types: Sequence[int]) -> ExactNet | None:
    """Return a net of the width with loss <= level, its types some of those given; ``None`` if none was found."""
    edge = level == system.least_loss
    options: dict[str, Any] = {"level": 0.0 if edge else float(level) * (1 - SPARE)}
    if edge:
        options["target"] = system.closest_floats
    start = ball_program(system, types, **options)
    if start is None:
        return None
    answer = with_fewer_types(start, width, lambda fewer: ball_program(system, fewer, **options))
    if answer is None:
        return None
    found = exact_net(system, answer.active, answer.u, answer.beta, system.closest if edge else None)
    return None if found is None or found.loss > level or found.width > width else found.balanced()


def add_meetings(
    known: FactBook,
    ball: Capacity,
    boxes: Mapping[int, Capacity],
    lambdas_A: Sequence[Fraction],
    lambdas_M: Sequence[Fraction],
    reporter: Reporter,
    task: str,
) -> None:
    """Add nets in both regions: for each ball the smallest box of the diagram that holds one, at each width."""
    system, level = ball.dual.system, known.level
    for lambda_M in sorted(lambdas_M, reverse=True):
        radius = 1 / lambda_M
        found = None if radius**2 < ball.square_lower else meeting(system, radius**2, level)
        reporter.advance(task)
        for width, in_box in boxes.items():
            reporter.advance(task)
            shapes = [] if in_box.net is None else [in_box.net.shape]
            net = None if found is None else meeting_net(found, width, shapes)
            if net is None:
                continue
            fitting = [lambda_A for lambda_A in lambdas_A if (1 / lambda_A) ** 2 >= net[0]]
            if not fitting or known.attained(1 / max(fitting), radius, width) is not None:
                continue
            box = 1 / max(fitting)
            problem = net[1].problem(ball_json("linf", box), ball_json("spectral", radius))
            name = f"common-{sum(fact.startswith('common-') for fact in known.facts) + 1}"
            certificate = net[1].certificate(level, width)
            known.add(CertifiedFact(name, certificate, problem, width, box, radius))
