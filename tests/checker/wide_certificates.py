"""A path certificate of each kind about wide nets, true and sharp by hand, with the changes that spoil it.

Every level and every radius is attained somewhere, so that the statement a tiny bit stronger is false.
"""

import copy
from fractions import Fraction
from typing import Any

TINY = Fraction(1, 10**30)
BAD_NUMBERS: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "float": 0.5,
    "nan float": float("nan"),
    "list": [],
    "object": {},
    "empty text": "",
    "nan": "nan",
    "inf": "inf",
    "division by 0": "1/0",
    "two slashes": "1/2/3",
    "two numbers": "0 0",
    "huge exponent": "1e999999999",
    "long exponent": "1e19999",
    "long decimal": "9" * 5000,
    "underscore": "1_0",
}
BAD_INDICES: dict[str, Any] = {"null": None, "boolean": True, "float": 1.0, "text": "1", "-1": -1, "huge": 10**5000}


def certificate(kind: str, statement: Any, evidence: Any) -> dict[str, Any]:
    """Return a certificate in its frame."""
    return {"format": "modeconn.certificate/1", "kind": kind, "statement": statement, "evidence": evidence}


def put(value: Any, place: list[Any], new: Any) -> Any:
    """Return a copy with one entry replaced."""
    changed = copy.deepcopy(value)
    at = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = new
    return changed


def drop(value: Any, place: list[Any]) -> Any:
    """Return a copy without one entry."""
    changed = copy.deepcopy(value)
    at = changed
    for step in place[:-1]:
        at = at[step]
    del at[place[-1]]
    return changed


def with_problem(changes: dict[str, Any], problem: Any) -> dict[str, Any]:
    """Return the spoilt certificates, each with the problem."""
    return {label: (changed, problem) for label, changed in changes.items()}


def pairs(found: Any, problem: Any, problems: dict[str, Any]) -> dict[str, Any]:
    """Return the certificate with each other problem."""
    assert all(other != problem for other in problems.values())
    return {f"problem: {label}": (found, other) for label, other in problems.items()}


X3 = [[1, 0], [0, 1], [1, 1]]

GRAM_PROBLEM: dict[str, Any] = {
    "net0": {"W": [[1, 0, 0, 0], [0, 1, 0, 0]], "A": [[1, 0, 0, 0], [0, 1, 0, 0]]},
    "net1": {"W": [[0, 0, 1, 0], [0, 0, 1, 0]], "A": [[0, 0, 0, 0], [0, 0, 1, 0]]},
    "X": X3,
    "Y": [[0, 1], [0, 1], [0, 2]],
    "region": [
        {"W": {"norm": "schatten:4", "radius": "1.3"}, "A": {"norm": "spectral", "radius": "9/10"}},
        {"joint": {"norm": "frobenius", "radius": "9/5"}},
    ],
}
"""Net 0 is the identity on two outputs, loss 2, with ||A0|| = 1 and ||W0||_F^2 + ||A0||_F^2 = 4; net 1 has loss 0."""


def gram_path() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return certificate, problem and changes: net 1 grows in slot 2 while net 0 shrinks, in two pieces."""
    knots = [[[0, 0, "1/2"], [1, 1, "1/2"], [2, 6, "1/2"]], [[0, 0, "0"], [1, 1, "0"], [2, 6, "1"]]]
    found = certificate("gram-path", {"level": "2", "radius_slack": "1/9"}, {"knots": knots})
    changes: dict[str, Any] = {}

    def knot(label: str, place: list[Any], value: Any) -> None:
        changes[label] = put(found, ["evidence", "knots", *place], value)

    for name, value in BAD_NUMBERS.items():
        knot(f"t {name}", [0, 0, 2], value)
    for name, value in BAD_INDICES.items():
        knot(f"slot {name}", [0, 0, 0], value)
        knot(f"base {name}", [0, 0, 1], value)
    knot("slot out of range", [0, 0, 0], 4)
    knot("base out of range", [0, 2, 1], 8)
    knot("t negative", [0, 0, 2], "-1/2")
    knot("t negative at the end", [1, 0, 2], str(-TINY))
    knot("t too large", [0, 2, 2], "2")
    knot("t tiny left at the end", [1, 0, 2], str(TINY))
    knot("t short of 1 at the end", [1, 2, 2], str(1 - TINY))
    knot("t beyond 1 at the end", [1, 2, 2], str(1 + TINY))
    knot("t = -1 at the end", [1, 2, 2], "-1")
    knot("another base while alive", [0, 0, 1], 1)
    knot("another base at the end, while alive", [1, 2, 1], 0)
    knot("net 0 at the end", [1], [[2, 6, "0"], [0, 0, "1"], [1, 1, "1"]])
    knot("the right neuron in the wrong slot", [1], [[0, 0, "0"], [1, 1, "0"], [2, 6, "0"], [3, 6, "1"]])
    knot("a slot twice", [0, 1], [0, 0, "1/2"])
    knot("a slot twice, the same", [1], [*knots[1], knots[1][2]])
    knot("a change of two", [0, 0], [0, 0])
    knot("a change of four", [0, 0], [0, 0, "1/2", "1/2"])
    knot("a change that is an object", [0, 0], {"slot": 0, "base": 0, "t": "1/2"})
    knot("a knot that is null", [0], None)
    knot("a knot that is an object", [0], {})
    knot("a change outside a knot", [0], [0, 0, "1/2"])
    knot("jump over the region", [0], [[0, 0, "3"], [1, 1, "1/2"], [2, 6, "1/2"]])
    knot("a detour outside the region at small loss", [0], [[2, 8, "1/2"], *knots[0][:2]])
    knot("only the loss is too high", [0], [[0, 0, "0"], [1, 1, "0"], [2, 6, "0"]])
    knot("only the region is left", [0], [*knots[0], [3, 8, "1"]])
    dead = [["-9", "-9"], ["0", "0"]]  # sees no data and has no output: the loss stays, W W^T does not
    changes["only the region is left"]["evidence"]["neurons"] = [dead]
    changes["a detour outside the region at small loss"]["evidence"]["neurons"] = [dead]
    for label, lists in {
        "no knots": [],
        "last knot missing": knots[:1],
        "order of knots": knots[::-1],
        "a knot back to the start": [*knots, [[2, 6, "0"], [0, 0, "1"], [1, 1, "1"]]],
        "knots null": None,
        "knots an object": {"0": knots[0]},
    }.items():
        changes[label] = put(found, ["evidence", "knots"], lists)
    for label, neurons in {
        "neurons of another length": [[["1"], ["1", "0"]]],
        "neurons without a": [[["1", "1"]]],
        "neurons of more outputs": [[["1", "1"], ["1", "0", "0"]]],
        "neurons with a bias": [[["1", "1", "1"], ["1", "0"]]],
        "neurons in floats": [[[1.0, 1.0], [1.0, 0.0]]],
        "neurons in booleans": [[[True, False], ["1", "0"]]],
        "neurons an object": {"w": ["1", "1"]},
        "neurons of many bits": [[["1", "1"], [f"1/{(1 << 8000) + k}", "0"]] for k in range(1, 8)],
    }.items():
        changes[label] = put(found, ["evidence", "neurons"], neurons)
    many = [[[0, 0, f"1/{3 ** (5000 - k)}"], [1, 1, f"1/{7 ** (2500 - k)}"]] for k in range(2)]
    more = [[[0, 0, f"1/{p ** (8000 // p.bit_length() - 1)}"]] for p in (11, 13, 17)]
    changes["t of many bits"] = put(found, ["evidence", "knots"], [*many, *more, knots[1]])
    moved: dict[str, Any] = {
        "schatten just too small": (["region", 0, "W", "radius"], str(Fraction(12727, 10000))),
        "spectral just too small": (["region", 0, "A", "radius"], str(Fraction(9, 10) - TINY)),
        "joint just too small": (["region", 1, "joint", "radius"], str(Fraction(9, 5) - TINY)),
        "a last digit of net 0": (["net0", "A", 0, 0], "1.0000000000000002"),
        "a larger net 1": (["net1", "W", 0, 2], 1.5),
        "another dead slot of net 1": (["net1", "W", 0, 3], 1e-300),
        "another neuron of net 1": (["net1", "A", 0, 3], 1),
        "a box": (["region", 0, "W"], {"norm": "linf", "radius": 9}),
        "another target": (["Y", 0, 1], 3),
        "no column norm": (["region", 0, "W", "norm"], "max-column"),
    }
    problems = {label: put(GRAM_PROBLEM, place, value) for label, (place, value) in moved.items()}
    return found, GRAM_PROBLEM, {**with_problem(changes, GRAM_PROBLEM), **pairs(found, GRAM_PROBLEM, problems)}


CELL_PROBLEM: dict[str, Any] = {
    "net0": {"W": [[1, 0, 0.5], [0.5, 0, -1]], "A": [1, 0, 0]},
    "net1": {"W": [[0, 0.5, 0], [0, 1, 0]], "A": [0, -1, 0.5]},
    "X": X3,
    "Y": [1, 0.5, 1.5],
    "region": [
        {"norm": "linf", "radius": "9/10"},
        {"W": {"norm": "spectral", "radius": "1.0065"}, "A": {"norm": "frobenius", "radius": "1.01"}},
        {"joint": {"norm": "frobenius", "radius": "1.75"}},
    ],
}
"""Net 0 fits; net 1 has loss 27/4. Slot 2 of net 0 has alpha = 0 and w = (1/2, -1), so that W W^T = 5/4 I."""


def cell_path() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return certificate, problem and changes: slot 1 grows with the other sign while slot 0 shrinks."""
    knots = [
        [[0, ["1/2", "1/4"], "1/2", 1], [1, ["1/4", "1/2"], "1/2", -1], [2, ["0", "0"], "1/8", 1]],
        [[0, ["0", "0"], "0", 1], [1, ["1/2", "1"], "1", -1], [2, ["0", "0"], "1/4", 1]],
    ]
    found = certificate("cell-path", {"level": "27/4", "radius_slack": "1/9"}, {"knots": knots})
    changes: dict[str, Any] = {}

    def knot(label: str, place: list[Any], value: Any) -> None:
        changes[label] = put(found, ["evidence", "knots", *place], value)

    for name, value in BAD_NUMBERS.items():
        knot(f"beta {name}", [0, 0, 2], value)
        knot(f"u {name}", [0, 0, 1, 0], value)
    for name, value in BAD_INDICES.items():
        knot(f"slot {name}", [0, 0, 0], value)
        if name != "-1":
            knot(f"sign {name}", [0, 1, 3], value)
    knot("sign 0", [0, 1, 3], 0)
    knot("sign 2", [0, 1, 3], 2)
    knot("slot out of range", [0, 0, 0], 3)
    knot("u short", [0, 0, 1], ["1/2"])
    knot("u long", [0, 0, 1], ["1/2", "1/4", "0"])
    knot("u one number", [0, 0, 1], "1/2")
    knot("beta negative", [0, 0, 2], "-1/2")
    knot("beta 0 with u", [0, 0, 2], "0")
    knot("beta 0 with u at the end", [1, 0, 1], ["0", str(TINY)])
    knot("beta too small for u", [0, 0, 2], str(Fraction(1, 4) - TINY))
    knot("beta beyond the box", [0, 2, 2], str(1 + TINY))
    knot("beta beyond the ball of A", [0, 2, 2], "1/2")
    knot("sign changed while alive", [0, 0, 3], -1)
    knot("sign changed at the end", [1, 1, 3], 1)
    knot("pattern changed", [0, 0, 1], ["1/2", str(-TINY)])
    knot("another pattern and back", [0, 0], [0, ["1/4", "-1/2"], "1/2", 1])
    knot("a slot twice", [0, 2], [1, ["1/4", "1/2"], "1/2", -1])
    knot("a change of three", [0, 0], [0, ["1/2", "1/4"], "1/2"])
    knot("a change of five", [0, 0], [0, ["1/2", "1/4"], "1/2", 1, 1])
    knot("a change that is an object", [0, 0], {"u": ["1/2", "1/4"]})
    knot("a knot that is null", [0], None)
    knot("too much loss", [0, 1, 1], ["3/4", "3/4"])
    knot("u off at the end", [1, 1, 1, 0], str(Fraction(1, 2) + TINY))
    knot("beta off at the end", [1, 1, 2], str(1 - TINY))
    knot("beta off at the end, u = 0", [1, 2, 2], str(Fraction(1, 4) - TINY))
    knot("neuron left at the end", [1, 0], [0, ["0", "0"], str(TINY), 1])
    knot("neurons exchanged at the end", [1], [[1, *knots[1][0][1:]], [0, *knots[1][1][1:]], knots[1][2]])
    knot("sign through 0, one knot late", [0, 1, 3], 1)
    for label, lists in {
        "no knots": [],
        "last knot missing": knots[:1],
        "order of knots": knots[::-1],
        "knots null": None,
        "knots an object": {"0": knots[0]},
        "common denominators": [[[0, [f"1/{p**2000}", "0"], "1/2", 1]] for p in (3, 5, 7, 11, 13)],
        "common denominators of beta": [
            [[0, ["1/2", "1/4"], f"{p**2000 // 2}/{p**2000}", 1]] for p in (3, 5, 7, 11, 13)
        ],
    }.items():
        changes[label] = put(found, ["evidence", "knots"], lists)
    moved: dict[str, Any] = {
        "box just too small": (["region", 0, "radius"], str(Fraction(9, 10) - TINY)),
        "spectral ball just too small": (["region", 1, "W", "radius"], "1.0062"),
        "joint ball just too small": (["region", 2, "joint", "radius"], "1.68"),
        "a dead neuron of net 0 outside the box": (["net0", "W", 0, 2], 1.0000001),
        "a dead neuron of net 0 outside the spectral ball": (["net0", "W", 0, 2], 0.6),
        "a dead neuron of net 1 outside": (["net1", "W", 1, 0], -5),
        "another neuron of net 1": (["net1", "A", 0], 1e-300),
        "a sign of net 1": (["net1", "A", 1], 1),
        "a sign of net 1 in w": (["net1", "W", 0, 1], -0.5),
        "another pattern of net 0": (["net0", "W", 1, 0], -1e-300),
        "another target": (["Y", 2], 2),
        "two outputs": (["Y"], [[1, 1], [1, 1], [1, 1]]),
        "data with another pattern": (["X", 0], [-1, 1.5]),
    }
    problems = {label: put(CELL_PROBLEM, place, value) for label, (place, value) in moved.items()}
    outputs = copy.deepcopy(CELL_PROBLEM)
    for name in ("net0", "net1"):
        outputs[name]["A"] = [outputs[name]["A"]] * 2
    outputs["Y"] = [[y, y] for y in outputs["Y"]]
    problems["two equal outputs"] = outputs
    return found, CELL_PROBLEM, {**with_problem(changes, CELL_PROBLEM), **pairs(found, CELL_PROBLEM, problems)}


SWAP: dict[str, Any] = {
    "net0": {"W": [[1, -1]], "A": [1, 1]},
    "net1": {"W": [[-1, 1]], "A": [1, 1]},
    "X": [[1], [-1]],
    "Y": [1, 1],
    "region": {"joint": {"norm": "frobenius", "radius": 2}},
}
"""Two neurons of one input exchanged: disconnected at zero loss at width 2 (theory.md W1, sharpness)."""
