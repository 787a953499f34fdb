"""What the checker of narrow-net certificates accepts, against hand-worked cases and a brute-force maker."""

import random
import time
from fractions import Fraction
from typing import Any

import pytest
from narrow_brute import Brute, avoid_box, avoid_spectral, certificate, inner, permuted, point_json, text

from proofs_check.checker import ProblemError, check_certificate
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_kinds import NARROW_KINDS
from proofs_check.checker.narrow_read import Ball, rational
from proofs_check.checker.narrow_region import support_squared
from proofs_check.exact.roots import compare_with_sum_of_roots

README: dict[str, Any] = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}

N8: list[Any] = [
    (
        {"X": [[0, -2], [1, -2], [1, 0], [-1, 0]], "y": [2, 0, 0, 0]},
        ([((0, 0), 1), ((-2, 0), -1), ((-2, -1), 1)], [((2, 0), -1), ((2, 1), 1), ((0, -1), 1)]),
        "1/2",
    ),
    (
        {"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]},
        ([((0, 2), -1), (("1/2", -1), 1)], [((0, -2), -1), (("3/2", -3), 1)]),
        "101/26",
    ),
    (
        {"X": [[1, 0, -2], [1, 0, -3], [1, -2, 0], [1, -3, 0], [2, -1, -1], [3, -1, -2]], "y": [1, 1, 1, 1, 2, 3]},
        ([((0, 0, 0), 1), ((1, 0, 0), 1)], [((1, 0, 1), 1), ((1, 1, 0), 1)]),
        "1/106",
    ),
]


def accepted(kind, statement, evidence, problem):
    return check_certificate(certificate(kind, statement, evidence), problem).accepted


def components_certificate(brute, level=Fraction(0)):
    groups, orbits, representatives, points, nus = brute.components(level)
    statement = {
        "width": brute.m,
        "level": str(level),
        "components": len(groups),
        "orbits": orbits,
        "representatives": [point_json(net) for net in representatives],
    }
    return statement, {"nus": text(nus), "points": [point_json(net) for net in points]}


@pytest.mark.parametrize(("m", "components", "orbits"), [(1, 0, 0), (2, 4, 2), (3, 1, 1)])
def test_worked_example_counts(m, components, orbits):
    """Oracle: the hand-worked example, infeasible at width 1, two orbits of two at width 2, connected at width 3."""
    statement, evidence = components_certificate(Brute(README["X"], README["y"], m))
    assert (statement["components"], statement["orbits"]) == (components, orbits)
    assert accepted("components", statement, evidence, README)
    for name in ("components", "orbits"):
        for change in (-1, 1):
            assert not accepted("components", {**statement, name: statement[name] + change}, evidence, README)


@pytest.mark.parametrize(("problem", "ends", "value"), N8)
def test_barriers_above_the_smaller_width(problem, ends, value):
    """Oracle: the exact barriers that refute "barrier <= least loss of one neuron less" (theory.md, N8)."""
    brute = Brute(problem["X"], problem["y"], len(ends[0]))
    start, end = ([(tuple(Fraction(v) for v in u), s) for u, s in net] for net in ends)
    found, path, nus = brute.barrier(start, end)
    assert found == Fraction(value)
    statement = {"width": brute.m, "value": value, "start": point_json(start), "end": point_json(end)}
    evidence = {"points": [point_json(net) for net in path], "nus": text(nus)}
    assert accepted("barrier", statement, evidence, problem)
    for wrong in (found + Fraction(1, 10**30), found - Fraction(1, 10**30)):
        assert not accepted("barrier", {**statement, "value": str(wrong)}, evidence, problem)
    below = {
        "width": brute.m,
        "level": str(found - Fraction(1, 10**9)),
        "start": statement["start"],
        "end": statement["end"],
    }
    assert accepted("separated", below, {"nus": evidence["nus"]}, problem)
    assert not accepted("separated", {**below, "level": str(found)}, {"nus": evidence["nus"]}, problem)
    assert accepted("joined", {**below, "level": str(found)}, {"points": evidence["points"]}, problem)


def random_problem(rng):
    n = rng.randint(2, 4)
    X = [[rng.randint(-2, 2) for _ in range(2)] for _ in range(n)]
    if rng.random() < 0.5:
        X.append([rng.choice([-2, 2, 0]) * v for v in X[0]])  # parallel, opposite or zero
    independent = any(a[0] * b[1] != a[1] * b[0] for a in X for b in X)
    y = [rng.randint(-2, 2) for _ in X]
    return {"X": X, "y": y, "output_weights": rng.choice(["free", "fixed"])} if independent else random_problem(rng)


def test_brute_force_and_checker_agree_on_random_problems():
    """Oracle: independent implementation. Zero, parallel, duplicate rows, both kinds of output weights, any level."""
    rng = random.Random(3)
    for _ in range(25):
        problem = random_problem(rng)
        brute = Brute(problem["X"], problem["y"], rng.choice([1, 2]), problem["output_weights"] == "fixed")
        least = min(brute.least([brute.part(t) for t in cell])[0].loss for cell in brute.multisets())
        for level in (least, least + Fraction(rng.randint(1, 20), 40)):
            statement, evidence = components_certificate(brute, level)
            answer = check_certificate(certificate("components", statement, evidence), problem)
            assert answer.accepted, (problem, answer.reason)
            more = {**statement, "components": statement["components"] + 1}
            assert not accepted("components", more, evidence, problem)
        best = next(iter(brute.minima(least).values()))
        residuals = [brute.least([brute.part(t) for t in cell])[0].residual for cell in brute.multisets()]
        minimum = {"width": brute.m, "value": str(least), "point": point_json(best)}
        nus = {"nus": text(sorted(set(residuals)) if least else [])}
        assert accepted("minimum", minimum, nus, problem)
        assert not accepted("minimum", {**minimum, "value": str(least - Fraction(1, 10**30))}, nus, problem)


def test_two_kinds_of_edges_are_enough():
    """Oracle: independent implementation that links any two cells with a common point of the level set."""
    rng = random.Random(7)
    for _ in range(10):
        problem = random_problem(rng)
        brute = Brute(problem["X"], problem["y"], 2, problem["output_weights"] == "fixed")
        least = min(brute.least([brute.part(t) for t in cell])[0].loss for cell in brute.multisets())
        for level in (least, least + Fraction(rng.randint(1, 20), 40)):
            expected = brute.classes_by_all_pairs(level)
            assert len(expected) == len(brute.components(level)[0])
            statement, evidence = components_certificate(brute, level)
            assert accepted("components", {**statement, "components": len(expected)}, evidence, problem)


def test_no_cut_separates_what_a_path_joins():
    """Oracle: a path found by brute force. All residuals that are valid cuts together never separate its ends."""
    rng = random.Random(4)
    for _ in range(12):
        problem = random_problem(rng)
        brute = Brute(problem["X"], problem["y"], 2, problem["output_weights"] == "fixed")
        nets = [brute.least([brute.part(t) for t in rng.choice(list(brute.multisets()))])[1] for _ in range(2)]
        value, path, _ = brute.barrier(*nets)
        residuals = {part.residual for part in brute.all_leasts() if part.loss > value}
        ends = {"width": 2, "level": str(value), "start": point_json(nets[0]), "end": point_json(nets[1])}
        assert not accepted("separated", ends, {"nus": text(sorted(residuals))}, problem)
        assert accepted("joined", ends, {"points": [point_json(net) for net in path]}, problem)


def test_zero_rows_keep_their_constant():
    """Oracle: by hand. The zero row with target 1 costs 1/2 whatever the net: the least loss is 1/2, not 0."""
    problem = {"X": [["1"], ["0"]], "y": ["1", "1"]}
    net = [{"u": ["1"], "s": 1}]
    statement = {"width": 1, "value": "1/2", "point": net}
    assert accepted("minimum", statement, {"nus": [["0", "1"]]}, problem)
    assert not accepted("joined", {"width": 1, "level": "49/100", "start": net, "end": net}, {"points": [net]}, problem)


def test_a_dead_or_kernel_neuron_passes_through_zero():
    """Oracle: by hand. u in the kernel of X contributes nothing, yet a sign changes only at u = 0 itself."""
    problem = {"X": [["1", "0"]], "y": ["0"]}
    up, zero, down = ([{"u": u, "s": s}] for u, s in ((["0", "1"], 1), (["0", "0"], 1), (["0", "1"], -1)))
    ends = {"width": 1, "level": "0", "start": up, "end": down}
    assert accepted("joined", ends, {"points": [up, zero, down]}, problem)
    assert not accepted("joined", ends, {"points": [up, down]}, problem)
    assert not accepted("separated", ends, {"nus": []}, problem)


def test_permuted_neurons_lie_in_other_components():
    """Oracle: by hand. y = (1, 1) on x = 1, -1 at width 2 forces one neuron each way: two components, one orbit."""
    problem = {"X": [[1], [-1]], "y": [1, 1]}
    right, left = {"u": ["1"], "s": 1}, {"u": ["-1"], "s": 1}
    statement = {"width": 2, "level": "0", "components": 2, "orbits": 1}
    statement["representatives"] = [[right, left], [left, right]]
    evidence = {"nus": [["1", "1"], ["1", "0"], ["0", "1"]], "points": [[right, left]]}
    assert accepted("components", statement, evidence, problem)
    ends = {"width": 2, "start": [right, left], "end": [left, right]}
    assert accepted("separated", {**ends, "level": "49/100"}, {"nus": evidence["nus"]}, problem)
    through = [[right, left], [right, {"u": ["0"], "s": 1}], [{"u": ["0"], "s": 1}, right]]
    path = [through[0], through[1], [{"u": ["1/2"], "s": 1}, {"u": ["1/2"], "s": 1}], through[2], [left, right]]
    assert accepted("barrier", {**ends, "value": "1/2"}, {"points": path, "nus": evidence["nus"]}, problem)


def spectral_line(radius, points=2):
    """Return problem, statement and evidence of the two-neuron net on a line that the spectral ball just misses."""
    problem = {"X": [[1], [-1]], "y": [1, 1], "region": {"norm": "spectral", "radius": radius}}
    right, left = {"u": ["1"], "s": 1}, {"u": ["-1"], "s": 1}
    statement = {"width": 2, "level": "0", "representative": [right, left]}
    entry = {"cell": [[[-1, 1], 1], [[1, -1], 1]], "nu": ["1", "1"], "mu": [["0", "0"], ["0", "0"]], "lambda": [["1"]]}
    return problem, statement, {"nus": [["1", "1"], ["1", "0"], ["0", "1"]], "avoid": [entry]}


@pytest.mark.parametrize(("radius", "avoids"), [("1", True), ("1414213/1000000", True), ("1414214/1000000", False)])
def test_spectral_region_on_the_line(radius, avoids):
    """Oracle: closed form. |w| |alpha| >= sum_j |w_j alpha_j| = 2 on the component: r^2 < 2 avoids it, 2 does not."""
    problem, statement, evidence = spectral_line(radius)
    assert accepted("region-avoids-component", statement, evidence, problem) is avoids


def test_region_at_a_positive_level():
    """Oracle: closed form. The spectral ball of radius 1 gets down to u = 1/2, -1/2 on the line, of loss 1/4."""
    problem, statement, evidence = spectral_line("1")
    for level, avoids in ((Fraction(1, 4) - Fraction(1, 10**30), True), (Fraction(1, 4), False)):
        stated = {**statement, "level": str(level)}
        assert accepted("region-avoids-component", stated, evidence, problem) is avoids


@pytest.mark.parametrize(
    ("region", "avoids"),
    [
        ({"W": {"norm": "linf", "radius": "99/100"}}, True),
        ({"W": {"norm": "linf", "radius": "1"}}, False),
        ({"W": {"norm": "linf", "radius": "3/2"}, "A": {"norm": "linf", "radius": "1/2"}}, False),
        ({"norm": "spectral", "radius": "1414213/1000000"}, True),
        ({"norm": "spectral", "radius": "1414214/1000000"}, False),
    ],
)
def test_regions_with_output_weights_at_one(region, avoids):
    """Oracle: by hand. The minima are W = (1, -1) and (-1, 1), of largest entry 1 and spectral norm sqrt(2)."""
    problem, statement, evidence = spectral_line("1")
    if region.get("norm") != "spectral":
        evidence = {**evidence, "avoid": [{k: v for k, v in evidence["avoid"][0].items() if k != "lambda"}]}
    fixed = {**problem, "output_weights": "fixed", "region": region}
    assert accepted("region-avoids-component", statement, evidence, fixed) is avoids


@pytest.mark.parametrize(
    ("norm", "radius", "avoided"),
    [
        ("linf", "57/100", (0, 2)),
        ("linf", "3/5", (0,)),
        ("linf", "16/25", ()),
        ("spectral", "7/10", (2,)),
    ],
)
def test_regions_of_the_worked_example(norm, radius, avoided):
    """Oracle: by hand, the box meets the orbits from r^2 = 2/5 and 1/3; the spectral ball in the other order."""
    brute = Brute(README["X"], README["y"], 2)
    groups, _, representatives, _, nus = brute.components(Fraction(0))
    make = avoid_box if norm == "linf" else avoid_spectral
    for k in (0, 2):  # one component of each orbit
        statement = {"width": 2, "level": "0", "representative": point_json(representatives[k])}
        cells = sorted({tuple(sorted(cell)) for cell in groups[k]})
        evidence = {"nus": text(nus), "avoid": [make(brute, cell, Fraction(radius)) for cell in cells]}
        problem = {**README, "region": {"norm": norm, "radius": radius}}
        assert accepted("region-avoids-component", statement, evidence, problem) is (k in avoided)


def test_support_bounds_hold_for_nets_of_the_region():
    """Oracle: by construction. No net drawn from a product of balls exceeds the bound, for all four pairs of norms."""
    rng = random.Random(5)
    norms = {"linf": lambda v: max(map(abs, v)), "l1": lambda v: sum(map(abs, v))}
    for _ in range(200):
        g = [[rng.randint(-3, 3) for _ in range(2)] for _ in range(3)]
        W = [[rng.uniform(-1, 1) for _ in range(2)] for _ in range(3)]  # rows are the neurons' w
        alpha = [rng.uniform(-1, 1) for _ in range(3)]
        gram = [[sum(w[a] * w[b] for w in W) for b in range(2)] for a in range(2)]
        trace, det = gram[0][0] + gram[1][1], gram[0][0] * gram[1][1] - gram[0][1] ** 2
        size = {
            "spectral": (trace / 2 + max(trace**2 / 4 - det, 0) ** 0.5) ** 0.5,
            "linf": max(norms["linf"](w) for w in W),
        }
        weight = {"spectral": sum(a * a for a in alpha) ** 0.5, "linf": norms["linf"](alpha)}
        a = Fraction(rng.randint(2, 8), 10)
        inverse = [row[0] ** 2 / a + row[1] ** 2 / (1 - a) for row in g]
        for inner_norm in ("linf", "spectral"):
            sizes = [
                Fraction(norms["l1"](row)) if inner_norm == "linf" else q for row, q in zip(g, inverse, strict=True)
            ]
            for outer in ("linf", "spectral"):
                value = sum(abs(b) * inner(row, w) for b, row, w in zip(alpha, g, W, strict=True))
                balls = Ball(inner_norm, Fraction(size[inner_norm])), Ball(outer, Fraction(weight[outer]))
                assert value <= float(support_squared(sizes, balls)) ** 0.5 * (1 + 1e-12)


def test_sum_of_roots_is_decided_exactly():
    """Oracle: perfect squares, where the answer is known, and one 10^-40 to either side."""
    rng = random.Random(6)
    tiny = Fraction(1, 10**40)
    for _ in range(100):
        p, q = (Fraction(rng.randint(0, 9), rng.randint(1, 9)) for _ in range(2))
        assert compare_with_sum_of_roots(p + q, p * p, q * q) == 0
        assert compare_with_sum_of_roots(p + q + tiny, p * p, q * q) == 1
        assert compare_with_sum_of_roots(-(p + q + tiny), p * p, q * q) == -1


@pytest.mark.parametrize(
    "change",
    [
        {"ridge": "1/10"},
        {"output_weights": "frozen"},
        {"output_weights": True},
        {"X": [[1, 2], [3]]},
        {"X": [[0.5, 1], [3, 0], [2, -1]]},
        {"X": []},
        {"y": [0, 1]},
        {"y": [0, 1, True]},
        {"region": {"norm": "frobenius", "radius": "1"}},
        {"region": {"norm": "linf", "radius": "-1"}},
        {"bias": True},
    ],
)
def test_problems_that_are_not_covered_are_told(change):
    """Oracle: by construction; a ridge term or an unknown field would change what is claimed."""
    net = [{"u": ["0", "0"], "s": 1}]
    frame = certificate("joined", {"width": 1, "level": "9", "start": net, "end": net}, {"points": [net]})
    assert check_certificate(frame, README).accepted
    with pytest.raises(ProblemError):
        check_certificate(frame, {**README, **change})


def test_output_weights_at_one_have_no_negative_sign():
    """Oracle: by construction; with free output weights the same path is one."""
    problem = {"X": [[1]], "y": [-1]}
    net = [{"u": ["1"], "s": -1}]
    statement, evidence = {"width": 1, "level": "0", "start": net, "end": net}, {"points": [net]}
    assert accepted("joined", statement, evidence, problem)
    assert not accepted("joined", statement, evidence, {**problem, "output_weights": "fixed"})


def test_short_texts_of_long_numbers_are_refused():
    """Oracle: by construction, 2466 digits are 8192 bits."""
    assert rational("1e2000", "level") == 10**2000
    for value in ("1e9999", "1e-9999", "0x1p9000", f"1/{10**2500}", 10**3000):
        with pytest.raises(CertificateError, match="bits"):
            rational(value, "level")


def test_size_is_bounded_before_the_work():
    """Oracle: by construction; each of these would run for hours or fill the memory."""
    started = time.perf_counter()
    nothing = {"components": 0, "orbits": 0, "representatives": [], "level": "0"}
    check = NARROW_KINDS["components"]
    for m in (7, 10**9, 10**4000):
        with pytest.raises(CertificateError, match="max_cells"):
            check({**nothing, "width": m}, {"nus": [], "points": []}, README)
    with pytest.raises(CertificateError, match="max_cells = 100 "):
        check({**nothing, "width": 2}, {"nus": [], "points": []}, README, max_cells=100)
    wide = {"X": [[t**k for k in range(9)] for t in range(1, 30)], "y": [0] * 29}
    with pytest.raises(CertificateError, match="too many"):
        check({**nothing, "width": 1}, {"nus": [], "points": []}, wide)
    line = {"X": [[1]], "y": [1], "output_weights": "fixed"}
    zeros = [[{"u": ["0"], "s": 1}] * k + [{"u": ["1"], "s": 1}] * (10 - k) for k in range(11)]
    with pytest.raises(CertificateError, match="max_cells"):
        check({**nothing, "width": 10, "level": "50"}, {"nus": [], "points": zeros}, line, max_cells=2**10)
    nus = [[k, k + 1, 1] for k in range(41_000)]
    with pytest.raises(CertificateError, match="too many"):
        check({**nothing, "width": 5}, {"nus": nus, "points": []}, README)
    assert time.perf_counter() - started < 10


def test_orders_of_neurons_count_in_components():
    """Oracle: by construction; a components certificate holds whatever the order of the neurons in its points."""
    brute = Brute(README["X"], README["y"], 2)
    statement, evidence = components_certificate(brute)
    turned = [list(reversed(net)) for net in evidence["points"]]
    assert accepted("components", statement, {**evidence, "points": turned}, README)
    assert all(len(permuted(net)) == 2 for net in statement["representatives"])


@pytest.mark.parametrize(
    ("problem", "level", "nus", "nets", "true", "false"),
    [
        ({"X": [[1]], "y": [0]}, "1/2", [], [[1], [-1], [1, "-"], [-1, "-"]], [[0]], "all four"),
        ({"X": [[1, 0], [0, 1]], "y": [1, 0]}, "1/8", [[1, 0]], [[1, "1/4"], [1, -1]], [[1, 0]], "both"),
        ({"X": [[1], [-1]], "y": [1, 1]}, "1/2", [[1, 1]], [[1]], [[1], [-1]], "one"),
    ],
    ids=["zero edge", "facet", "cell"],
)
def test_components_need_every_cell_and_edge(problem, level, nus, nets, true, false):
    """Oracle: by hand at width 1. The nets miss a passage through 0, a facet, a cell: the wrong count is rejected."""

    def net(entry):
        return [{"u": [str(v) for v in entry if v != "-"], "s": -1 if "-" in entry else 1}]

    def answer(chosen, joined_at):
        count = len(chosen)
        statement = {"width": 1, "level": level, "components": count, "orbits": count}
        statement["representatives"] = [net(entry) for entry in chosen]
        return accepted("components", statement, {"nus": nus, "points": [net(entry) for entry in joined_at]}, problem)

    assert not answer(nets, nets), f"{false} taken for components"
    assert answer(true, [*nets, *true])
