"""Certificates about radii of wide nets, sharp by hand, with the changes that spoil them; MAKERS has all wide kinds."""

from fractions import Fraction
from typing import Any

from wide_certificates import (
    BAD_INDICES,
    BAD_NUMBERS,
    TINY,
    X3,
    cell_path,
    certificate,
    gram_path,
    pairs,
    put,
    with_problem,
)

ATTAINED_PROBLEM: dict[str, Any] = {
    "X": X3,
    "y": ["1/2", "-1/2", 1],
    "region": [
        {"norm": "linf", "radius": 1},
        {"W": {"norm": "spectral", "radius": "3/2"}, "A": {"norm": "spectral", "radius": "1.42"}},
    ],
}
"""w = (1, 1/2) and (1/2, 1), alpha = 1 and -1: f = (1/2, -1/2, 0), loss 1/2; W W^T has eigenvalues 9/4 and 1/4."""


def attained() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return certificate, problem and changes."""
    neurons = [[["1", "1/2"], "1", 1], [["1/2", "1"], "1", -1]]
    found = certificate("attained", {"width": 2, "level": "1/2"}, {"neurons": neurons})
    changes: dict[str, Any] = {}

    def neuron(label: str, place: list[Any], value: Any) -> None:
        changes[label] = put(found, ["evidence", "neurons", *place], value)

    for name, value in BAD_NUMBERS.items():
        neuron(f"beta {name}", [0, 1], value)
        neuron(f"u {name}", [0, 0, 0], value)
    for name, value in {**BAD_INDICES, "0": 0, "other": -1}.items():
        if name != "-1":
            neuron(f"sign {name}", [0, 2], value)
    neuron("beta 0 with u", [0, 1], "0")
    neuron("beta negative", [0, 1], "-1")
    neuron("beta too small", [0, 1], str(1 - TINY))
    neuron("beta too large", [0, 1], str(1 + TINY))
    neuron("a third neuron", [1], [["0", "0"], "0", 1])
    neuron("u off", [0, 0, 0], str(1 + TINY))
    neuron("u turned", [0, 0], ["-1", "-1/2"])
    neuron("u short", [0, 0], ["1"])
    neuron("u long", [0, 0], ["1", "1/2", "0"])
    neuron("neuron of two", [0], [["1", "1/2"], "1"])
    neuron("neuron an object", [0], {"u": ["1", "1/2"]})
    for label, value in {
        "three neurons": [*neurons, [["0", "0"], "0", 1]],
        "one neuron": neurons[:1],
        "no neurons": [],
        "neurons null": None,
        "neurons an object": {"0": neurons[0]},
        "neurons doubled": [neurons[0], neurons[0]],
    }.items():
        changes[label] = put(found, ["evidence", "neurons"], value)
    for name, value in BAD_INDICES.items():
        if name != "huge":  # true, as for every width from 2 on
            changes[f"width {name}"] = put(found, ["statement", "width"], value)
    changes["width 0"] = put(found, ["statement", "width"], 0)
    changes["width 1"] = put(found, ["statement", "width"], 1)
    moved: dict[str, Any] = {
        "box just too small": (["region", 0, "radius"], str(1 - TINY)),
        "spectral ball just too small": (["region", 1, "W", "radius"], str(Fraction(3, 2) - TINY)),
        "ball of A just too small": (["region", 1, "A", "radius"], "1.41"),
        "another target": (["y", 0], "3/4"),
        "a row more": (["X"], [*X3, [2, 2]]),
        "fixed output weights": (["output_weights"], "fixed"),
        "a ridge": (["ridge"], "1/1000"),
    }
    problems = {label: put(ATTAINED_PROBLEM, place, value) for label, (place, value) in moved.items()}
    return (
        found,
        ATTAINED_PROBLEM,
        {**with_problem(changes, ATTAINED_PROBLEM), **pairs(found, ATTAINED_PROBLEM, problems)},
    )


RADIUS_PROBLEM: dict[str, Any] = {"X": [[1, 0], [0, 1], [0, 2], [0, 0]], "y": [2, 2, 4, 0]}
"""Four quadrants, a parallel row, a zero row. nu = (1/2, 1/2, 0, 0), Lambda = I / 2: every type has size at most 1."""


def least_radius(inner: str = "spectral", outer: str = "spectral", width: int | None = None) -> Any:
    """Return certificate, problem and changes; at level 1/25 the bound is 9/5 over 1, sqrt(width) or width."""
    share = {0: 1, 1: round((width or 1) ** 0.5), 2: width or 1}[(inner, outer).count("linf")]
    patterns = [(p, q, q, 0) for p in (1, -1) for q in (1, -1)]
    types = [
        {"pattern": list(pattern), "sign": s, "mu": ["0", "1/4" if pattern[:2] == (-1, -1) else "0", "0", "7"]}
        for pattern in patterns
        for s in (1, -1)
    ]
    bound = Fraction(9, 5) / share
    statement = {"W": inner, "A": outer, "width": width, "level": "1/25", "radius_product_lower": str(bound)}
    evidence: dict[str, Any] = {"nu": ["1/2", "1/2", "0", "0"], "types": types}
    if inner == "spectral":
        evidence["lambda"] = [["1/2", "0"], ["0", "1/2"]]
    found = certificate("least-radius", statement, evidence)
    changes: dict[str, Any] = {}

    def shown(label: str, place: list[Any], value: Any) -> None:
        changes[label] = put(found, ["evidence", *place], value)

    for name, value in BAD_NUMBERS.items():
        shown(f"nu {name}", ["nu", 0], value)
        shown(f"mu {name}", ["types", 0, "mu", 0], value)
        changes[f"bound {name}"] = put(found, ["statement", "radius_product_lower"], value)
    for name, value in {**BAD_INDICES, "0": 0, "2": 2}.items():
        shown(f"sign {name}", ["types", 0, "sign"], value)
        if name != "2":
            shown(f"pattern {name}", ["types", 0, "pattern", 0], value)
    shown("pattern 2", ["types", 0, "pattern", 0], 2)
    shown("pattern of the zero row", ["types", 0, "pattern", 3], 1)
    shown("pattern of a parallel row", ["types", 0, "pattern", 2], -1)
    shown("pattern short", ["types", 0, "pattern"], [1, 1, 1])
    shown("pattern long", ["types", 0, "pattern"], [1, 1, 1, 0, 0])
    shown("mu negative", ["types", 0, "mu", 0], str(-TINY))
    shown("mu negative on the zero row", ["types", 0, "mu", 3], "-1")
    shown("mu too large", ["types", 0, "mu", 0], str(TINY))
    shown("mu short", ["types", 0, "mu"], ["0", "0", "0"])
    shown("a type twice", ["types"], [*types, types[0]])
    shown("a type that is none", ["types"], [*types, {**types[0], "pattern": [1, 1, -1, 0]}])
    shown("types null", ["types"], None)
    shown("no types", ["types"], [])
    shown("a type with a field more", ["types", 0], {**types[0], "note": "interior"})
    for k, kind in enumerate(types):
        shown(f"type {k} missing", ["types"], [other for other in types if other is not kind])
        shown(f"type {k} without mu", ["types", k], {key: value for key, value in kind.items() if key != "mu"})
    shown("nu too large", ["nu", 0], str(Fraction(1, 2) + TINY))
    shown("nu scaled", ["nu"], ["1", "1", "0", "0"])
    shown("nu too small", ["nu", 0], "49/100")
    shown("nu turned", ["nu"], ["-1/2", "-1/2", "0", "0"])
    shown("nu 0", ["nu"], ["0", "0", "0", "0"])
    shown("nu on the parallel row", ["nu", 2], "1/2")
    shown("nu on the zero row", ["nu", 3], "1/2")
    shown("nu short", ["nu"], ["1/2", "1/2", "0"])
    if inner == "spectral":
        for label, matrix in {
            "lambda singular": [["1/2", "1/2"], ["1/2", "1/2"]],
            "lambda of rank 1": [["1", "0"], ["0", "0"]],
            "lambda indefinite": [["2", "0"], ["0", "-1"]],
            "lambda asymmetric": [["1/2", "1/4"], ["0", "1/2"]],
            "lambda of trace 2": [["1", "0"], ["0", "1"]],
            "lambda of trace nearly 1": [["1/2", "0"], ["0", str(Fraction(1, 2) + TINY)]],
            "lambda tilted": [["1/3", "0"], ["0", "2/3"]],
            "lambda short": [["1"]],
            "lambda a vector": ["1/2", "1/2"],
            "lambda ragged": [["1/2", "0"], ["1/2"]],
            "lambda in floats": [[0.5, 0.0], [0.0, 0.5]],
            "lambda zero": [["0", "0"], ["0", "0"]],
            "lambda null": None,
        }.items():
            shown(label, ["lambda"], matrix)
    else:
        shown("lambda for a box", ["lambda"], [["1/2", "0"], ["0", "1/2"]])
    for label, (name, value) in {
        "another norm of W": ("W", "frobenius"),
        "norm of W null": ("W", None),
        "norm of A a list": ("A", ["spectral"]),
        "norm of A unknown": ("A", "l2"),
        "bound + tiny": ("radius_product_lower", str(bound + TINY)),
        "bound 0": ("radius_product_lower", "0"),
        "bound negative": ("radius_product_lower", "-1"),
        "level + tiny": ("level", str(Fraction(1, 25) + TINY)),
        "level 1": ("level", "1"),
        "width 0": ("width", 0),
        "width true": ("width", True),
        "width text": ("width", "3"),
        "width 1.0": ("width", 1.0),
    }.items():
        changes[label] = put(found, ["statement", name], value)
    if width is not None:
        changes["a wider net"] = put(found, ["statement", "width"], width + 1)
        changes["any width"] = put(found, ["statement", "width"], None)
    else:
        for name in ("W", "A"):
            changes[f"{name} a box, any width"] = put(found, ["statement", name], "linf")
    moved: dict[str, Any] = {
        "a row more": (["X"], [*RADIUS_PROBLEM["X"], [1, 1]]),
        "targets smaller": (["y"], ["2", "1.999999", 4, 0]),
        "targets turned": (["y"], [-2, -2, -4, 0]),
        "data larger": (["X", 0], ["1.000001", 0]),
        "data smaller, pattern more": (["X", 2], [1, 2]),
        "fixed output weights": (["output_weights"], "fixed"),
        "a ridge": (["ridge"], "1/1000"),
    }
    problems = {label: put(RADIUS_PROBLEM, place, value) for label, (place, value) in moved.items()}
    return found, RADIUS_PROBLEM, {**with_problem(changes, RADIUS_PROBLEM), **pairs(found, RADIUS_PROBLEM, problems)}


MAKERS = {
    "gram-path": gram_path,
    "cell-path": cell_path,
    "attained": attained,
    "least-radius": least_radius,
    "least-radius, boxes": lambda: least_radius("linf", "linf", 3),
    "least-radius, W spectral, A box": lambda: least_radius("spectral", "linf", 4),
    "least-radius, W box, A spectral": lambda: least_radius("linf", "spectral", 9),
}
