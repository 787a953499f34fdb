"""Path certificates: what is accepted is true, seen by ordinary forward passes, and true paths are accepted."""

import copy
import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from wide_certificates import SWAP, TINY, certificate
from wide_sampler import cell_pieces, gram_pieces, loss, require_honest, size

from proofs_check.checker import check_certificate

SPECTRAL = [
    {"W": {"norm": "spectral"}, "A": {"norm": "spectral"}},
    {"W": {"norm": "frobenius"}, "A": {"norm": "schatten:4"}},
    {"joint": {"norm": "frobenius"}},
]
BOXES = [{"W": {"norm": "linf"}, "A": {"norm": "linf"}}]


def dyadic(rng, low, high):
    """A random rational with a power of two below."""
    return Fraction(rng.randint(round(low * 64), round(high * 64)), 64)


def random_net(rng, d, c, slots, width, bias):
    """A net that lives in some slots only."""
    W = [[float(dyadic(rng, -1, 1)) if j in slots else 0 for j in range(width)] for _ in range(d)]
    A = [[float(dyadic(rng, -1, 1)) if j in slots else 0 for j in range(width)] for _ in range(c)]
    net = {"W": W, "A": A if c > 1 else A[0]}
    return {**net, "b": [float(dyadic(rng, -1, 1)) if j in slots else 0 for j in range(width)]} if bias else net


def fitted(found, problem, region, room=Fraction(1, 10**6)):
    """The level and the radii that the knots reach, by floats, with a little room."""
    pieces = list((gram_pieces if found["kind"] == "gram-path" else cell_pieces)(problem, found["evidence"]))
    ends = [net for piece in pieces for net in (piece[0], piece[-1])]
    level = max(loss(problem, *net) for net in ends)
    found["statement"]["level"] = str(Fraction(level) * (1 + room) + room)
    problem["region"] = copy.deepcopy(region)
    for entry in problem["region"]:
        for leaf, ball in entry.items():
            reached = max(size(leaf, ball["norm"], *net) for net in ends)
            ball["radius"] = str(Fraction(reached) * (1 + room) + room)
    return found, problem


def random_gram_path(seed):
    """Disjoint slots, random detours in t, and one further neuron on the way."""
    rng = random.Random(seed)
    n, d, c, half, bias = rng.randint(1, 5), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 2), rng.random() < 0.5
    m = 2 * half + 1
    net0, net1 = (random_net(rng, d, c, slots, m, bias) for slots in (range(half), range(half, 2 * half)))
    neuron = [[str(dyadic(rng, -1, 1)) for _ in range(size)] for size in (d + bias, c)]
    knots = [
        [[j, j, str(dyadic(rng, 0.25, 1.5))] for j in range(half)] + [[2 * half, 2 * m, str(dyadic(rng, 0.1, 1))]],
        [[j, j, str(dyadic(rng, 0.1, 1))] for j in range(half)]
        + [[half + j, m + half + j, str(dyadic(rng, 0.1, 1))] for j in range(half)],
        [[j, j, "0"] for j in range(half)] + [[2 * half, 2 * m, "0"]],
        [[half + j, m + half + j, "1"] for j in range(half)],
    ]
    problem = {
        "net0": net0,
        "net1": net1,
        "X": [[float(dyadic(rng, -2, 2)) for _ in range(d)] for _ in range(n)],
        "Y": [[float(dyadic(rng, -1, 1)) for _ in range(c)] for _ in range(n)],
    }
    found = certificate("gram-path", {"radius_slack": "0"}, {"knots": knots, "neurons": [neuron]})
    return fitted(found, problem, rng.sample(SPECTRAL, rng.randint(1, 3)))


def random_cell_path(seed):
    """Disjoint slots; the neurons of net0 shrink, those of net1 grow, each within its cell; some start dead."""
    rng = random.Random(seed)
    n, d, half, bias = rng.randint(1, 5), rng.randint(1, 3), rng.randint(1, 2), rng.random() < 0.5
    m = 2 * half
    net0, net1 = (random_net(rng, d, 1, slots, m, bias) for slots in (range(half), range(half, m)))
    if rng.random() < 0.5:
        net0["A"][0] = 0
    states = []
    for net in (net0, net1):
        rows = [*net["W"], net["b"]] if bias else net["W"]
        states.append(
            [
                ([abs(Fraction(a)) * Fraction(v) for v in w], Fraction(a) ** 2, -1 if a < 0 else 1)
                for w, a in zip(zip(*rows, strict=True), net["A"], strict=True)
            ]
        )

    def move(which, slot, share, more=1):
        u, beta, s = states[which][slot]
        return [slot, [str(share * v) for v in u], str(share * beta * more), s]

    shares = [dyadic(rng, 0.1, 1) for _ in range(m)]
    more = [dyadic(rng, 0.5, 1.5) for _ in range(m)]  # below 1: the largest weights stand at a knot
    knots = [
        [move(0, j, shares[j], more[j]) for j in range(half)]
        + [move(1, j, shares[j], more[j]) for j in range(half, m)],
        [move(0, j, 0) for j in range(half)] + [move(1, j, 1) for j in range(half, m)],
    ]
    problem = {
        "net0": net0,
        "net1": net1,
        "X": [[float(dyadic(rng, -2, 2)) for _ in range(d)] for _ in range(n)],
        "Y": [float(dyadic(rng, -1, 1)) for _ in range(n)],
    }
    found = certificate("cell-path", {"radius_slack": "0"}, {"knots": knots})
    return fitted(found, problem, rng.sample([*SPECTRAL, *BOXES], rng.randint(1, 4)))


MAKE = {"gram-path": random_gram_path, "cell-path": random_cell_path}


@pytest.mark.parametrize("kind", MAKE)
def test_true_paths_are_accepted_and_sharp(kind):
    """Oracle: losses and norms of the knots by forward passes and singular values; a little less is not accepted."""
    for seed in range(60):
        found, problem = MAKE[kind](seed)
        answer = check_certificate(json.loads(json.dumps(found)), json.loads(json.dumps(problem)))
        assert answer.accepted, (seed, answer.reason)
        require_honest(found, problem)
        level = Fraction(found["statement"]["level"])
        if level > Fraction(1, 100):
            lower = {**found, "statement": {**found["statement"], "level": str(level * Fraction(999, 1000))}}
            assert not check_certificate(lower, problem).accepted
        for k, entry in enumerate(problem["region"]):
            for leaf, ball in entry.items():
                if Fraction(ball["radius"]) > Fraction(1, 100):
                    smaller = copy.deepcopy(problem)
                    smaller["region"][k][leaf]["radius"] = str(Fraction(ball["radius"]) * Fraction(999, 1000))
                    assert not check_certificate(found, smaller).accepted, (seed, entry)


def spoil(rng, found, problem):
    """Change a few entries of a path at random, within its form."""
    changed, setting = copy.deepcopy(found), copy.deepcopy(problem)
    knots = changed["evidence"]["knots"]
    width = len(problem["net0"]["W"][0])
    for _ in range(rng.randint(1, 3)):
        moves = knots[rng.randrange(len(knots))] if knots else []
        change = moves[rng.randrange(len(moves))] if moves else None
        kind = rng.randrange(8)
        if kind == 0 and change:
            moves.remove(change)
        elif kind == 1 and change:
            change[0] = rng.randrange(width)
        elif kind == 2 and change:
            change[2] = str(rng.choice([Fraction(0), Fraction(1), dyadic(rng, -0.2, 1.5)]))
        elif kind == 3 and change and found["kind"] == "gram-path":
            change[1] = rng.randrange(2 * width + 1)
        elif kind == 3 and change:
            change[3] = -change[3]
        elif kind == 4 and change and found["kind"] == "cell-path":
            change[1][rng.randrange(len(change[1]))] = str(dyadic(rng, -1, 1))
        elif kind == 5 and knots:
            knots.insert(rng.randrange(len(knots) + 1), copy.deepcopy(knots[rng.randrange(len(knots))]))
        elif kind == 6 and knots:
            knots.pop(rng.randrange(len(knots)))
        elif kind == 7:
            setting[rng.choice(["net0", "net1"])]["W"][0][rng.randrange(width)] = float(dyadic(rng, -1, 1))
    if rng.random() < 0.7:
        changed["statement"]["level"] = str(Fraction(changed["statement"]["level"]) * 4)
        changed["statement"]["radius_slack"] = "1/2"
    return changed, setting


@pytest.mark.parametrize("kind", MAKE)
def test_whatever_is_accepted_is_an_honest_path(kind, capsys):
    """Oracle: the sampler, on certificates changed at random; it also finds nothing wrong with too few of them."""
    rng = random.Random(kind)
    accepted = 0
    for seed in range(500):
        found, problem = spoil(rng, *MAKE[kind](seed % 100))
        if check_certificate(found, problem).accepted:
            accepted += 1
            require_honest(found, problem)
    with capsys.disabled():
        print(f"\n{kind}: {accepted} of 500 changed at random were accepted, all honest")
    assert 50 <= accepted <= 450


@pytest.mark.parametrize("kind", MAKE)
def test_the_sampler_sees_dishonest_paths(kind):
    """Oracle: by construction; each spoilt path that differs in substance fails the sampler too."""
    found, problem = MAKE[kind](4)
    require_honest(found, problem)
    last = len(found["evidence"]["knots"]) - 1
    for change in (
        lambda f, p: f["statement"].update(level="0"),
        lambda f, p: f["evidence"]["knots"].pop(last),
        lambda f, p: p.update(region=[{"W": {"norm": "spectral", "radius": "1/1000"}}]),
        lambda f, p: p["net1"]["W"][0].__setitem__(0, 9.0),
    ):
        changed, setting = copy.deepcopy((found, problem))
        change(changed, setting)
        assert not check_certificate(changed, setting).accepted
        with pytest.raises(AssertionError):
            require_honest(changed, setting)


def test_a_swap_at_width_two_costs_one_half():
    """Oracle: theory.md W1, sharpness: N = 3, so width 2 is disconnected at zero loss, and loses 1/2 on the way.

    Through one live neuron (loss 1/2); at width 3, which is N, there is a path of zero loss by a dead slot.
    """
    through = [[[1, 1, "0"]], [[0, 0, "0"], [1, 3, "1"]], [[0, 2, "1"]]]
    for level, accepted in (("1/2", True), (str(Fraction(1, 2) - TINY), False), ("0", False)):
        found = certificate("gram-path", {"level": level, "radius_slack": "0"}, {"knots": through})
        assert check_certificate(found, SWAP).accepted == accepted
    wider = copy.deepcopy(SWAP)
    for name in ("net0", "net1"):
        wider[name] = {"W": [[*SWAP[name]["W"][0], 0]], "A": [1, 1, 0]}
    for b, c in ((3, 4), (1, 0)):  # the neurons of net1, or the equal ones of net0
        rotate = [[[0, 0, "0"], [2, 0, "1"]], [[1, 1, "0"], [0, b, "1"]], [[2, 0, "0"], [1, c, "1"]], []]
        found = certificate("gram-path", {"level": "0", "radius_slack": "0"}, {"knots": rotate})
        answer = check_certificate(found, wider)
        assert answer.accepted, answer.reason
        require_honest(found, {**wider, "region": [wider["region"]]})
        assert not check_certificate(found, {**wider, "net1": wider["net0"]}).accepted
    wider["region"]["joint"]["radius"] = str(2 - TINY)
    assert not check_certificate(found, wider).accepted


def test_a_path_that_stays_needs_no_knots():
    """Oracle: by construction; equal nets, once with a dead slot that holds another null neuron."""
    same = {**SWAP, "net1": SWAP["net0"]}
    for kind in MAKE:
        found = certificate(kind, {"level": "0", "radius_slack": "0"}, {"knots": []})
        assert check_certificate(found, same).accepted
        assert not check_certificate(found, SWAP).accepted
        assert check_certificate({**found, "evidence": {"knots": [[], []]}}, same).accepted


def test_width_in_the_hundreds_is_fast():
    """Oracle: by construction; half of the slots each, random floats, spectral ball with room."""
    rng = np.random.default_rng(0)
    n, d, c, m = 40, 8, 3, 400
    X, half = rng.normal(size=(n, d)), m // 2
    nets = [{"W": rng.normal(size=(d, m)) / 20, "A": rng.normal(size=(c, m)) / 20} for _ in range(2)]
    for net, dead in zip(nets, (slice(half, None), slice(half)), strict=True):
        net["W"][:, dead] = net["A"][:, dead] = 0
    problem: dict[str, Any] = {**{f"net{k}": {key: v.tolist() for key, v in net.items()} for k, net in enumerate(nets)}}
    problem |= {"X": X.tolist(), "Y": np.zeros((n, c)).tolist(), "region": {"norm": "spectral", "radius": 2}}
    shares = rng.random(half)
    knots = [
        [[j, j, str(Fraction(float(t)))] for j, t in enumerate(shares)],
        [[j, j, "0"] for j in range(half)] + [[half + j, m + half + j, "1"] for j in range(half)],
    ]
    found = certificate("gram-path", {"level": "100000", "radius_slack": "1/1000000000"}, {"knots": knots})
    answer = check_certificate(found, problem)
    assert answer.accepted, answer.reason
    require_honest({**found, "statement": {"level": "100000", "radius_slack": "0"}}, {**problem, "region": []})
