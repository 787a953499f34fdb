"""One certificate of every kind about the worked example, with the changes that spoil each: material for tests."""

from fractions import Fraction
from functools import cache
from typing import Any

from narrow_brute import Brute, avoid_spectral, certificate, point_json, text

from proofs_check.checker import check_certificate

PROBLEM: dict[str, Any] = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}
TINY = Fraction(1, 10**30)
ZERO = {"u": ["0", "0"], "s": 1}
FAR = {"u": ["5", "7"], "s": 1}


def needed(kind, statement, evidence, name, problem):
    """Return the evidence with a list thinned out until each entry is needed."""
    kept = list(evidence[name])
    for entry in list(kept):
        fewer = [other for other in kept if other is not entry]
        if check_certificate(certificate(kind, statement, {**evidence, name: fewer}), problem).accepted:
            kept = fewer
    return {**evidence, name: kept}


@cache
def brute(m):
    made = Brute(PROBLEM["X"], PROBLEM["y"], m)
    return made, made.components(Fraction(0))


@cache
def ends():
    """Return one zero-loss net of each of the two orbits at width 2."""
    _, (_, _, representatives, _, _) = brute(2)
    return representatives[0], representatives[2]


def joined():
    made, _ = brute(3)
    zero = ((Fraction(0), Fraction(0)), 1)
    start, end = [*ends()[0], zero], [*reversed(ends()[0]), zero]
    value, path, _ = made.barrier(start, end)
    assert value == 0
    path = [net for k, net in enumerate(path) if k == 0 or net != path[k - 1]]
    statement: dict[str, Any] = {"width": 3, "level": "0", "start": point_json(start), "end": point_json(end)}
    evidence = needed("joined", statement, {"points": [point_json(net) for net in path]}, "points", PROBLEM)
    points = evidence["points"]
    live = next(k for k, neuron in enumerate(points[1]) if any(Fraction(v) for v in neuron["u"]))
    turned = [{**neuron, "s": -neuron["s"]} if k == live else neuron for k, neuron in enumerate(points[1])]
    two: dict[str, Any] = {"width": 2, "level": "1/141", "start": point_json(ends()[0]), "end": point_json(ends()[1])}
    changes = {
        "swapped ends": {"statement": {**statement, "start": statement["end"], "end": statement["start"]}},
        "reversed path": {"evidence": {"points": points[::-1]}},
        "only the ends": {"evidence": {"points": [points[0], points[-1]]}},
        "one point": {"evidence": {"points": points[:1]}},
        "path ends early": {"evidence": {"points": points[:-1]}},
        "path starts late": {"evidence": {"points": points[1:]}},
        "order of points": {"evidence": {"points": [points[0], *points[-2:0:-1], points[-1]]}},
        "permuted neurons inside": {"evidence": {"points": [points[0], points[1][::-1], *points[2:]]}},
        "a digit inside": {"evidence": {"points": [points[0], [FAR, *points[1][1:]], *points[2:]]}},
        "a sign inside": {"evidence": {"points": [points[0], turned, *points[2:]]}},
        "through the zero net": {"evidence": {"points": [points[0], [ZERO] * 3, points[-1]]}},
        "another end": {"statement": {**statement, "end": [*point_json(ends()[1]), ZERO]}},
        "another path": {
            "evidence": {"points": [points[0], *([*point_json(net), ZERO] for net in ends()), points[-1]]}
        },
        "level - tiny": {"statement": {**statement, "level": str(-TINY)}},
        "a neuron short": {"evidence": {"points": [net[:2] for net in points]}},
        "below the barrier": {"statement": two, "evidence": {"points": [two["start"], two["end"]]}},
        "permuted without a path": {
            "statement": {"width": 2, "level": "0", "start": two["start"], "end": two["start"][::-1]},
            "evidence": {"points": [two["start"], two["start"][::-1]]},
        },
        **{f"without point {k}": {"evidence": {"points": points[:k] + points[k + 1 :]}} for k in range(len(points))},
    }
    return certificate("joined", statement, evidence), PROBLEM, changes


def separated():
    made, _ = brute(2)
    start, end = ends()
    _, _, nus = made.barrier(start, end)
    statement: dict[str, Any] = {"width": 2, "level": "1/141", "start": point_json(start), "end": point_json(end)}
    evidence = needed("separated", statement, {"nus": text(nus)}, "nus", PROBLEM)
    wider = {**statement, "width": 3, "start": [*statement["start"], ZERO], "end": [*statement["end"], ZERO]}
    changes = {
        "level of the barrier": {"statement": {**statement, "level": "1/140"}},
        "level above the barrier": {"statement": {**statement, "level": "1/139"}},
        "level far above": {"statement": {**statement, "level": "100"}},
        "same net": {"statement": {**statement, "end": statement["start"]}},
        "wider, where they are joined": {"statement": wider},
        "wider without cuts": {"statement": wider, "evidence": {"nus": []}},
        "cuts of another level": {"evidence": {"nus": [*evidence["nus"], ["1", "0", "1/1000"]]}},
        **_cuts(evidence),
    }
    for k in range(len(evidence["nus"])):
        changes[f"without nu {k}"] = {"evidence": {"nus": evidence["nus"][:k] + evidence["nus"][k + 1 :]}}
    return certificate("separated", statement, evidence), PROBLEM, changes


def barrier():
    made, _ = brute(2)
    start, end = ends()
    value, path, nus = made.barrier(start, end)
    assert value == Fraction(1, 140)
    statement: dict[str, Any] = {"width": 2, "value": "1/140", "start": point_json(start), "end": point_json(end)}
    evidence = {"points": [point_json(net) for net in path], "nus": text(nus)}
    evidence = needed("barrier", statement, evidence, "nus", PROBLEM)
    evidence = needed("barrier", statement, evidence, "points", PROBLEM)
    points = evidence["points"]
    wider = {**statement, "width": 3, "start": [*statement["start"], ZERO], "end": [*statement["end"], ZERO]}
    changes = {
        "value + tiny": {"statement": {**statement, "value": str(value + TINY)}},
        "value - tiny": {"statement": {**statement, "value": str(value - TINY)}},
        "value 0": {"statement": {**statement, "value": "0"}},
        "value of another pair": {"statement": {**statement, "value": "1/2"}},
        "swapped ends": {"statement": {**statement, "start": statement["end"], "end": statement["start"]}},
        "permuted neurons of the end": {"statement": {**statement, "end": statement["end"][::-1]}},
        "a net with itself": {
            "statement": {**statement, "end": points[0]},
            "evidence": {**evidence, "points": points[:1]},
        },
        "wider": {"statement": wider, "evidence": {**evidence, "points": [[*net, ZERO] for net in points]}},
        "path reversed": {"evidence": {**evidence, "points": points[::-1]}},
        **_cuts(evidence),
    }
    for name in ("points", "nus"):
        for k in range(len(evidence[name])):
            fewer = {**evidence, name: evidence[name][:k] + evidence[name][k + 1 :]}
            changes[f"without {name} {k}"] = {"evidence": fewer}
    return certificate("barrier", statement, evidence), PROBLEM, changes


def minimum():
    made, _ = brute(1)
    leasts = [made.least([made.part(t) for t in cell]) for cell in made.multisets()]
    best, net = min(leasts, key=lambda found: found[0].loss)
    statement: dict[str, Any] = {"width": 1, "value": str(best.loss), "point": point_json(net)}
    evidence = needed(
        "minimum", statement, {"nus": text(sorted({part.residual for part, _ in leasts}))}, "nus", PROBLEM
    )
    doubled = [[str(2 * Fraction(v)) for v in net["u"]] for net in statement["point"]]
    changes = {
        "value + tiny": {"statement": {**statement, "value": str(best.loss + TINY)}},
        "value - tiny": {"statement": {**statement, "value": str(best.loss - TINY)}},
        "value 0": {"statement": {**statement, "value": "0"}},
        "another net": {"statement": {**statement, "point": [{"u": doubled[0], "s": 1}]}},
        "dead net": {"statement": {**statement, "value": "1", "point": [ZERO]}},
        "wider": {"statement": {**statement, "width": 2, "point": [*statement["point"], ZERO]}},
        **_cuts(evidence),
    }
    for k in range(len(evidence["nus"])):
        changes[f"without nu {k}"] = {"evidence": {"nus": evidence["nus"][:k] + evidence["nus"][k + 1 :]}}
    return certificate("minimum", statement, evidence), PROBLEM, changes


def components():
    _, (groups, orbits, representatives, points, nus) = brute(2)
    statement: dict[str, Any] = {
        "width": 2,
        "level": "0",
        "components": len(groups),
        "orbits": orbits,
        "representatives": [point_json(net) for net in representatives],
    }
    evidence = {"nus": text(nus), "points": [point_json(net) for net in points]}
    evidence = needed("components", statement, evidence, "nus", PROBLEM)
    evidence = needed("components", statement, evidence, "points", PROBLEM)
    nets = statement["representatives"]
    changes = {
        "one more": {"statement": {**statement, "components": 5}},
        "one more, with a net": {"statement": {**statement, "components": 5, "representatives": [*nets, nets[0]]}},
        "one less": {"statement": {**statement, "components": 3, "representatives": nets[:3]}},
        "none": {"statement": {**statement, "components": 0, "orbits": 0, "representatives": []}},
        "none, no points": {
            "statement": {**statement, "components": 0, "orbits": 0, "representatives": []},
            "evidence": {**evidence, "points": []},
        },
        "one orbit more": {"statement": {**statement, "orbits": 3}},
        "one orbit less": {"statement": {**statement, "orbits": 1}},
        "orbits counted as components": {"statement": {**statement, "components": 2, "representatives": nets[::2]}},
        "components counted as orbits": {"statement": {**statement, "orbits": 4}},
        "a component twice": {"statement": {**statement, "representatives": [*nets[:3], nets[0]]}},
        "a net short": {"statement": {**statement, "representatives": nets[:3]}},
        "a net of positive loss": {"statement": {**statement, "representatives": [*nets[:3], [FAR, FAR]]}},
        "a neuron short": {"statement": {**statement, "representatives": [*nets[:3], nets[3][:1]]}},
        "level - tiny": {"statement": {**statement, "level": str(-TINY)}},
        "level of the barrier": {"statement": {**statement, "level": "1/140"}},
        "level above all": {"statement": {**statement, "level": "1"}},
        "too narrow": {"statement": {**statement, "width": 1}},
        "wider": {
            "statement": {**statement, "width": 3, "representatives": [[*net, ZERO] for net in nets]},
            "evidence": {**evidence, "points": [[*net, ZERO] for net in evidence["points"]]},
        },
        "a point of positive loss": {"evidence": {**evidence, "points": [*evidence["points"], [FAR, FAR]]}},
        **_cuts(evidence),
    }
    for name in ("points", "nus"):
        for k in range(len(evidence[name])):
            fewer = {**evidence, name: evidence[name][:k] + evidence[name][k + 1 :]}
            changes[f"without {name} {k}"] = {"evidence": fewer}
    return certificate("components", statement, evidence), PROBLEM, changes


def region():
    made, (groups, _, representatives, _, nus) = brute(2)
    problem = {**PROBLEM, "region": {"norm": "spectral", "radius": "7/10"}}
    cells = sorted({tuple(sorted(cell)) for cell in groups[2]})
    statement: dict[str, Any] = {"width": 2, "level": "0", "representative": point_json(representatives[2])}
    avoid = [avoid_spectral(made, cell, Fraction(7, 10)) for cell in cells]
    kind = "region-avoids-component"
    evidence = needed(kind, statement, {"nus": text(nus), "avoid": avoid}, "nus", problem)
    first = avoid[0]

    def entry(**change):
        return {"evidence": {**evidence, "avoid": [{**first, **change}, *avoid[1:]]}}

    corner, cross = (Fraction(v) for v in first["lambda"][0])
    sigma, s = first["cell"][0]
    changes = {
        "larger radius": {"problem": {**problem, "region": {"norm": "spectral", "radius": "4/5"}}},
        "much larger radius": {"problem": {**problem, "region": {"norm": "spectral", "radius": "5"}}},
        "box instead": {"problem": {**problem, "region": {"norm": "linf", "radius": "7/10"}}},
        "larger radius of A": {
            "problem": {
                **problem,
                "region": {"W": {"norm": "spectral", "radius": "7/10"}, "A": {"norm": "spectral", "radius": "9/10"}},
            }
        },
        "A unbounded": {"problem": {**problem, "region": {"W": {"norm": "spectral", "radius": "7/10"}}}},
        "no region": {"problem": PROBLEM},
        "the other orbit": {"statement": {**statement, "representative": point_json(representatives[0])}},
        "a net of positive loss": {"statement": {**statement, "representative": [FAR, FAR]}},
        "level above all": {"statement": {**statement, "level": "1"}},
        "level of the barrier": {"statement": {**statement, "level": "1/140"}},
        "level - tiny": {"statement": {**statement, "level": str(-TINY)}},
        "no cells": {"evidence": {**evidence, "avoid": []}},
        "negative mu": entry(mu=[["-1/1000000000", *first["mu"][0][1:]], first["mu"][1]]),
        "large mu": entry(mu=[["1000"] * 3, ["0"] * 3]),
        "short mu": entry(mu=[first["mu"][0][:2], first["mu"][1]]),
        "mu of one neuron": entry(mu=first["mu"][:1]),
        "no nu": entry(nu=["0", "0", "0"]),
        "nu negated": entry(nu=[str(-Fraction(v)) for v in first["nu"]]),
        "lambda of trace 2": entry(**{"lambda": text([[2 * corner, 2 * cross], [2 * cross, 2 * (1 - corner)]])}),
        "lambda not symmetric": entry(**{"lambda": text([[corner, cross + TINY], [cross, 1 - corner]])}),
        "lambda indefinite": entry(**{"lambda": [["3/2", "0"], ["0", "-1/2"]]}),
        "lambda singular": entry(**{"lambda": [["1", "0"], ["0", "0"]]}),
        "lambda too small": entry(**{"lambda": [["1"]]}),
        "lambda of strings": entry(**{"lambda": ["10", "01"]}),
        "no lambda": {
            "evidence": {**evidence, "avoid": [{k: v for k, v in first.items() if k != "lambda"}, *avoid[1:]]}
        },
        "a cell of another sign": entry(cell=[[sigma, -s], first["cell"][1]]),
        "a cone that is not there": entry(cell=[[[0, *sigma[1:]], s], first["cell"][1]]),
        "a cell of one neuron": entry(cell=first["cell"][:1]),
        "a cell of booleans": entry(cell=[[sigma, True], first["cell"][1]]),
        "a cell of floats": entry(cell=[[[float(v) for v in sigma], s], first["cell"][1]]),
        **{
            f"without cell {k}": {"evidence": {**evidence, "avoid": avoid[:k] + avoid[k + 1 :]}}
            for k in range(len(avoid))
        },
        **_cuts(evidence),
    }
    for k in range(len(evidence["nus"])):
        changes[f"without nu {k}"] = {"evidence": {**evidence, "nus": evidence["nus"][:k] + evidence["nus"][k + 1 :]}}
    return certificate(kind, statement, evidence), problem, changes


def _cuts(evidence):
    """Return mutations of the cuts; the first is needed, so that spoiling it is enough."""
    first, *rest = evidence["nus"]

    def spoilt(*nu):
        return {"evidence": {**evidence, "nus": [list(nu), *rest]}}

    return {
        "no cuts": {"evidence": {**evidence, "nus": []}},
        "nu zero": spoilt("0", "0", "0"),
        "nu negated": spoilt(*(str(-Fraction(v)) for v in first)),
        "nu beside the targets": spoilt("1", "0", "0"),
        "nu short": spoilt(*first[:2]),
        "nu long": spoilt(*first, "0"),
        "nu infinite": spoilt("inf", *first[1:]),
        "nu a float": spoilt(0.5, *first[1:]),
        "nu over zero": spoilt("1/0", *first[1:]),
        "nu true": spoilt(True, *first[1:]),
        "nu enormous": spoilt("1e999999999", *first[1:]),
        "nus not a list": {"evidence": {**evidence, "nus": {"0": first}}},
    }


MAKERS = {make.__name__: make for make in (joined, separated, barrier, minimum, components, region)}
