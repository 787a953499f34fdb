"""Certificates about narrow nets, each spoilt in many ways: every way is rejected, and they are counted.

Each mutation makes the statement false or its evidence insufficient; none only drops something redundant.
"""

import copy
import json
from fractions import Fraction
from typing import Any

import pytest
from narrow_certificates import MAKERS

from proofs_check.checker import CertificateError, ProblemError, check_certificate


def is_rejected(found, problem):
    try:
        return not check_certificate(found, problem).accepted
    except (CertificateError, ProblemError):
        return True


def common(found, problem):
    """Return the mutations that fit every kind: name -> (certificate, problem)."""

    def put(place, value):
        changed = copy.deepcopy(found)
        at = changed
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = value
        return changed, problem

    statement = found["statement"]
    number = "value" if "value" in statement else "level"
    # the place of a net in the statement; each kind has one
    net = next(name for name in ("start", "point", "representative", "representatives") if name in statement)
    neuron = ["statement", net, 0] if net != "representatives" else ["statement", net, 0, 0]
    u = statement[net][0]["u"] if net != "representatives" else statement[net][0][0]["u"]
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    width = statement["width"]
    spoilt = {
        f"width {v!r}": put(["statement", "width"], v) for v in (0, -1, True, str(width), float(width), None, 10**12)
    }
    spoilt |= {f"width {v}": put(["statement", "width"], v) for v in (width - 1, width + 1)}
    wrong: tuple[Any, ...] = (
        None,
        True,
        0.0,
        [],
        {},
        "",
        "nan",
        "inf",
        "1/0",
        "0x",
        "1e999999999",
        "9" * 5000,
        "1/2/3",
        "0 0",
        "-1/1000",
    )
    spoilt |= {f"{number} {str(v)[:12]!r}": put(["statement", number], v) for v in wrong}
    spoilt[f"{number} nan"] = put(["statement", number], float("nan"))
    spoilt |= {f"sign {v!r}": put([*neuron, "s"], v) for v in (0, 2, True, "1", 1.0, None, [1])}
    bad: tuple[Any, ...] = (
        [],
        u[:1],
        [*u, "0"],
        [True, *u[1:]],
        [0.5, *u[1:]],
        ["1e99999", *u[1:]],
        "00",
        None,
        deep,
        ["9" * 4000, "1/7"],
    )
    spoilt |= {f"u of form {k}": put([*neuron, "u"], v) for k, v in enumerate(bad)}
    spoilt["a digit of u"] = put([*neuron, "u"], [str(Fraction(u[0]) + 1), *u[1:]])
    spoilt["a sign of u"] = put([*neuron, "u"], [str(-Fraction(v)) for v in u])
    spoilt["neuron with a bias"] = put([*neuron, "b"], "0")
    forms: tuple[Any, ...] = (None, [], "joined at level 0", 1)
    for name in ("format", "kind", "statement", "evidence"):
        spoilt[f"no {name}"] = ({k: v for k, v in found.items() if k != name}, problem)
        spoilt |= {f"{name} {v!r}": put([name], v) for v in forms}
    spoilt["another format"] = put(["format"], "modeconn.certificate/2")
    kinds = {"joined", "separated", "barrier", "minimum", "components", "region-avoids-component", "segment-barrier"}
    spoilt |= {f"as {kind}": put(["kind"], kind) for kind in kinds - {found["kind"]}}
    spoilt["a field nobody checks"] = put(["statement", "inside_region"], True)
    spoilt["evidence nobody checks"] = put(["evidence", "proof"], "trust me")
    spoilt["a certificate inside"] = put(["evidence"], found)
    for name in statement:
        spoilt[f"statement without {name}"] = (
            {**found, "statement": {k: v for k, v in statement.items() if k != name}},
            problem,
        )
    for name in found["evidence"]:
        less = {k: v for k, v in found["evidence"].items() if k != name}
        spoilt[f"evidence without {name}"] = ({**found, "evidence": less}, problem)
    X, y = problem["X"], problem["y"]
    others: dict[str, dict[str, Any]] = {
        "targets of another problem": {"y": [0, 1, 2]},
        "targets scaled": {"y": [0, 2, 2]},
        "harder: a row more": {"X": [*X, [1, 1]], "y": [*y, 3]},
        "easier: one target at 0": {"y": [0, 1, 0]},
        "easier: all targets at 0": {"y": [0, 0, 0]},
        "data scaled": {"X": [[2 * v for v in row] for row in X]},
        "a sign of the data": {"X": [[1, -2], *X[1:]]},
        "an input more": {"X": [[*row, 0] for row in X]},
        "a ridge term": {"ridge": "1/1000000"},
    }
    return spoilt | {name: (found, {**problem, **change}) for name, change in others.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_every_mutation_is_rejected(name, tmp_path, capsys):
    """Oracle: by construction; the certificate itself is accepted, and no spoilt copy of it."""
    found, problem, changes = MAKERS[name]()
    answer = check_certificate(found, problem)
    assert answer.accepted, answer.reason
    spoilt = common(found, problem)
    for label, change in changes.items():
        assert label not in spoilt
        parts = {k: v for k, v in change.items() if k != "problem"}
        spoilt[label] = ({**found, **parts}, change.get("problem", problem))
        assert json.dumps(spoilt[label]) != json.dumps((found, problem)), label
    for label, (changed, setting) in spoilt.items():
        assert is_rejected(changed, setting), label

    written = json.dumps(found)
    user = tmp_path / "problem.json"
    user.write_text(json.dumps(problem))
    files: dict[str, str] = {
        "truncated": written[: len(written) // 2],
        "a bracket short": written[:-1],
        "empty": "",
        "a list": f"[{written}]",
        "nan": written.replace('"statement": {"width": ', '"statement": {"width": NaN, "w": '),
        "infinity": written.replace('"width": ', '"width": Infinity, "w": '),
        "a field twice": written.replace('"width": ', '"width": 1, "width": ', 1),
        "deep": "[" * 100_000,
        "deep objects": '{"a":' * 100_000,
        "a long integer": written.replace('"width": ', '"width": ' + "9" * 5000, 1),
        "a large exponent": written.replace('"width": ', '"width": 1e999999999, "w": ', 1),
        "two": written + written,
    }
    path = tmp_path / "certificate.json"
    path.write_text(written)
    assert check_certificate(path, user).accepted
    for label, content in files.items():
        path.write_text(content)
        assert content != written, label
        assert is_rejected(path, user), label
    with capsys.disabled():
        print(f"\n{found['kind']}: {len(spoilt) + len(files)} mutations, all rejected")
    assert len(changes) >= 17
    assert len(spoilt) + len(files) >= 20
