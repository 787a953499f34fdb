"""Common points, attainable loss, inclusion, and the phase diagram."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from modeconn.capacity import (
    ExactNet,
    ExactNeuron,
    attainable_loss,
    ball_json,
    common_point,
    copies_needed,
    example_system,
    geometric_axis,
    inclusion_facts,
    least_gauge_sum,
    least_radius,
    meeting,
    meeting_net,
    phase_diagram,
    type_system,
)
from modeconn.errors import InputError
from modeconn.nets import predict
from modeconn.plots.phase_diagram import REASONS, draw_phase_diagram
from proofs_check.checker import check_certificate

LINE = type_system([[1], [-1]], [1, 1])
PLANE = type_system([[2, 1], [1, 2], [-1, 1], [-2, -1]], [1, -1, 2, 1])


def accept(certificate, problem):
    verdict = check_certificate(certificate, problem)
    assert verdict.accepted, verdict.reason


# ------------------------------------------------------------------------------------------------ R1


@pytest.mark.parametrize("k", [1, 2, 5])
def test_splitting_moves_neither_prediction_nor_gram_matrices(k):
    """Conserved quantity: f, W W^T and |alpha|^2 exactly; entries shrink by sqrt k."""
    net = least_radius(PLANE).net
    parts = net.split(k)
    assert parts.prediction == net.prediction == PLANE.y
    assert parts.gram == net.gram
    assert parts.output_square == net.output_square
    assert parts.box_square == net.box_square / k
    assert parts.width == k * net.width


def test_exact_and_float_nets_agree():
    """Independent implementation: the forward pass and the singular values of the float net."""
    net = least_radius(PLANE).net.split([2, 1, 3, *[1] * (least_radius(PLANE).net.width - 3)])
    floats = net.to_net()
    assert np.allclose(predict(floats, PLANE.inputs)[:, 0], PLANE.targets)
    assert np.linalg.norm(floats.W, 2) ** 2 <= float(net.ball_square()) * (1 + 1e-12)
    assert float(net.ball_square()) == pytest.approx(
        max(np.linalg.norm(floats.W, 2) ** 2, np.linalg.norm(floats.A) ** 2), rel=1e-12
    )
    assert max(np.abs(floats.W).max(), np.abs(floats.A).max()) ** 2 == pytest.approx(float(net.box_square))


def test_a_common_point_is_accepted_in_both_regions():
    """Certificate: the intersection of the two regions; refused one part short, and outside the ball."""
    found = least_radius(LINE)
    ball, box = Fraction(3, 2), Fraction(2, 5)
    assert copies_needed(ball, box) == 15
    both = common_point(found.net, ball, box, width=30)
    problem = both.problem(ball_json("linf", box), ball_json("spectral", ball))
    accept(both.certificate(Fraction(0)), problem)
    one_short = found.net.split(3)
    tight = one_short.problem(ball_json("linf", box), ball_json("spectral", ball))
    assert not check_certificate(one_short.certificate(Fraction(0)), tight).accepted
    with pytest.raises(InputError, match="found 29"):
        common_point(found.net, ball, box, width=29)
    with pytest.raises(InputError, match="outside"):
        common_point(found.net, Fraction(1), box)
    with pytest.raises(InputError, match="copies"):
        found.net.split([1])


def test_the_convex_program_needs_no_more_box_than_splitting():
    """Theory: splitting is one of its points; for a large ball it needs what the box alone needs, m r_A^2 = V."""
    capacity, V = least_radius(PLANE), least_gauge_sum(PLANE).value
    squares = [capacity.square_upper * s for s in (Fraction(101, 100), Fraction(2), Fraction(100))]
    needs = [meeting(PLANE, square).copies_square for square in squares]
    assert needs[0] > needs[1] * (1 + 1e-6)
    assert needs[1] >= needs[2] * (1 - 1e-9)
    assert needs[-1] == pytest.approx(V, rel=1e-6)
    assert needs[0] <= capacity.net.width * float(capacity.net.box_square)
    for square in squares:
        size, net = meeting_net(meeting(PLANE, square), 24)
        assert net.width <= 24
        assert net.is_in_ball(square)
        assert net.box_square == size
        assert net.prediction == PLANE.y
        assert float(size) >= V / 24 * (1 - 1e-9)
    assert meeting(PLANE, capacity.square_lower * Fraction(9, 10)) is None


# ------------------------------------------------------------------------------------------------ R2


@pytest.mark.parametrize("radius", ["1/2", "1", "7/5", "2"])
def test_the_attainable_loss_of_a_line(radius):
    """Closed form: the best net is t |x| with t = min(1, r^2 / 2), its loss (1 - t)^2."""
    r = Fraction(radius)
    found = attainable_loss(LINE, r)
    t = min(Fraction(1), r * r / 2)
    assert float(found.upper) == pytest.approx(float((1 - t) ** 2), abs=1e-9)
    assert float(found.lower) == pytest.approx(float((1 - t) ** 2), abs=1e-7)
    assert found.lower <= (1 - t) ** 2 <= found.upper
    accept(*found.upper_certificate())
    if t < 1:
        accept(found.lower_certificate(), LINE.to_json())
        assert Fraction(found.lower_certificate()["statement"]["radius_product_lower"]) > r * r
    else:
        with pytest.raises(InputError, match="needs no certificate"):
            found.lower_certificate()


def test_the_attainable_loss_falls_to_the_least_loss_of_all_nets():
    """Theory: monotone in the radius; positive below B_M*; above it the least loss, here positive, is certified."""
    system = type_system([[1, 2], [1, 2], [-1, 1]], [1, 3, 1])
    assert system.least_loss == 1
    star = least_radius(system, system.least_loss)
    radii = [
        Fraction(star.upper).limit_denominator(1000) * s for s in (Fraction(1, 2), Fraction(9, 10), Fraction(11, 10))
    ]
    found = [attainable_loss(system, r, star) for r in radii]
    for one in found:
        accept(*one.upper_certificate())
        accept(one.lower_certificate(), system.to_json())
        assert one.lower <= one.upper <= one.lower * (1 + Fraction(1, 10**6))
    assert found[0].lower > found[1].lower > found[2].upper == 1


def test_bad_radius():
    """By construction."""
    with pytest.raises(InputError, match="positive"):
        attainable_loss(LINE, Fraction(0))


# ------------------------------------------------------------------------------------------------ R4


@pytest.mark.parametrize("seed", range(6))
def test_inclusion_facts(seed):
    """Independent implementation: the singular values of NumPy; both inequalities hold."""
    rng = np.random.default_rng(seed)
    W = rng.integers(-3, 4, rng.integers(1, 5, 2))
    facts = inclusion_facts([[Fraction(int(v)) for v in row] for row in W])
    low, high = facts.operator_square
    assert low <= high
    assert float(high) == pytest.approx(np.linalg.norm(W, 2) ** 2, rel=1e-9)
    assert facts.holds
    assert facts.bound_square == W.size * int(np.abs(W).max()) ** 2


def test_both_inclusions_are_sharp():
    """Closed form: a matrix with one entry, and a matrix of ones; rounding decides neither."""
    assert inclusion_facts([[Fraction(0), Fraction(-7, 3)]])[:3:2] == (Fraction(49, 9), Fraction(98, 9))
    ones = inclusion_facts([[Fraction(1)] * 4] * 3)
    assert (ones.bound_square, ones.holds) == (12, True)
    assert inclusion_facts([[Fraction(0)] * 2]).operator_square == (0, 0)
    with pytest.raises(InputError, match="matrix"):
        inclusion_facts([])


# ------------------------------------------------------------------------------------------------ the diagram


@pytest.fixture(scope="module")
def example():
    system = example_system()
    decays_A = geometric_axis(0.4, 3, 24)
    decays_M = [Fraction(1, 5), Fraction(11, 45), Fraction(1, 4), Fraction(1, 3)]
    return phase_diagram(system, decays_A, decays_M, [4, 16, 64])


def test_every_decided_cell_names_certificates_that_are_accepted(example):
    """Certificate: the checker, on every certificate that a cell names; the regions in it cover the cell."""
    for fact in example.facts.values():
        accept(fact.certificate, fact.problem)
    for cell in example.cells:
        assert (cell.verdict == "undecided") == (not cell.certificates)
        for name in cell.certificates:
            fact = example.facts[name]
            statement = fact.certificate["statement"]
            if fact.certificate["kind"] == "attained":
                assert statement["width"] <= cell.width
                regions = fact.problem["region"]
                for region in regions if isinstance(regions, list) else [regions]:
                    decay = cell.lambda_A if region["norm"] == "linf" else cell.lambda_M
                    assert Fraction(region["radius"]) <= 1 / decay
            else:
                radius = {"spectral": 1 / cell.lambda_M, "linf": 1 / cell.lambda_A}
                assert radius[statement["W"]] * radius[statement["A"]] < Fraction(statement["radius_product_lower"])
                assert statement["width"] is None or cell.width <= statement["width"]


def test_all_phases_occur_and_verdicts_are_monotone(example):
    """Theory: overlap survives larger radii and widths; apart occurs where V < m r_A^2 < B_M*^4 / r_M^2."""
    assert {cell.reason for cell in example.cells} >= {"overlap", "ball empty", "box empty", "apart", "empty"}
    verdicts = {(c.lambda_A, c.lambda_M, c.width): c.verdict for c in example.cells}
    for (a, b, m), verdict in verdicts.items():
        if verdict == "overlap":
            assert all(other == "overlap" for (p, q, k), other in verdicts.items() if p <= a and q <= b and k >= m)
        if verdict in ("disjoint", "empty"):
            assert all(other != "overlap" for (p, q, k), other in verdicts.items() if p >= a and q >= b and k <= m)
    assert sum(example.counts().values()) == len(example.cells) == 24 * 4 * 3


def test_the_diagram_of_a_line_has_no_blank_cell():
    """Closed form: the ball is not empty iff r_M^2 >= 2, the box of even width iff m r_A^2 >= 2, both meet then."""
    decays_A, decays_M = geometric_axis(0.3, 3, 12), geometric_axis(0.3, 2, 9)
    found = phase_diagram(LINE, decays_A, decays_M, [2, 6])
    for cell in found.cells:
        ball, box = (1 / cell.lambda_M) ** 2 >= 2, cell.width * (1 / cell.lambda_A) ** 2 >= 2
        expected = {(True, True): "overlap", (True, False): "box empty", (False, True): "ball empty"}
        assert cell.reason == expected.get((ball, box), "empty")


def test_a_wrong_fact_would_be_seen(example):
    """Sabotage: a common net presented for a smaller box is rejected."""
    fact = next(fact for name, fact in example.facts.items() if name.startswith("common-"))
    regions = [dict(region) for region in fact.problem["region"]]
    regions[0]["radius"] = str(Fraction(regions[0]["radius"]) / 2)
    assert not check_certificate(fact.certificate, {**fact.problem, "region": regions}).accepted
    wrong = ExactNet(LINE, (ExactNeuron((Fraction(1),), Fraction(1), 1),))
    assert wrong.loss == Fraction(1, 2)
    assert not check_certificate(wrong.certificate(Fraction(0)), wrong.problem(ball_json("linf", Fraction(9)))).accepted


def test_levels_above_the_least_loss():
    """Certificate: at a positive level the regions are larger; everything is accepted again."""
    found = phase_diagram(PLANE, geometric_axis(0.3, 4, 10), geometric_axis(0.3, 2, 6), [3, 12], Fraction(1, 2))
    for fact in found.facts.values():
        accept(fact.certificate, fact.problem)
    assert found.ball.square_upper < least_radius(PLANE).square_lower
    assert found.counts()["overlap"] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lambdas_A": []}, "lambdas_A"),
        ({"lambdas_M": [Fraction(-1)]}, "lambdas_M"),
        ({"widths": [0]}, "widths"),
        ({"level": Fraction(1)}, "zero net"),
    ],
)
def test_bad_axes(changes, words):
    """By construction: one line that names the axis."""
    arguments = {"lambdas_A": [Fraction(1)], "lambdas_M": [Fraction(1)], "widths": [2], **changes}
    with pytest.raises(InputError, match=words):
        phase_diagram(LINE, **arguments)


def test_the_figure_shows_what_the_table_says(example):
    """By construction: a panel a width, as many cells of a colour as the table has rows of the reason."""
    rows = example.rows()
    figure = draw_phase_diagram(rows, example.thresholds())
    assert [ax.get_title() for ax in figure.axes] == ["width 4", "width 16", "width 64"]
    for ax, width in zip(figure.axes, (4, 16, 64), strict=True):
        drawn = ax.collections[0].get_array()
        for k, reason in enumerate(REASONS):
            assert (drawn == k).sum() == sum(row["width"] == width and row["reason"] == reason for row in rows)
