"""Certificates about wide nets, each spoilt in many ways: every way is rejected, and they are counted.

Each mutation makes the statement false or leaves it unshown; none only drops something redundant.
"""

import copy
import json
from fractions import Fraction

import pytest
from wide_certificates import BAD_NUMBERS, TINY, drop, put
from wide_radius_certificates import MAKERS

from proofs_check.checker import KINDS, CertificateError, ProblemError, check_certificate
from proofs_check.checker.__main__ import main


def is_rejected(found, problem):
    """Whether the pair is not accepted; the reason is one line in any case."""
    try:
        accepted, reason = check_certificate(found, problem)
    except (CertificateError, ProblemError) as error:
        accepted, reason = False, str(error)
    assert reason
    assert "\n" not in reason
    return not accepted


def common(found, problem):
    """Return the mutations that fit every kind: name -> (certificate, problem)."""
    spoilt = {}
    for name, value in BAD_NUMBERS.items():
        spoilt[f"level {name}"] = put(found, ["statement", "level"], value)
    spoilt["level negative"] = put(found, ["statement", "level"], str(-TINY))
    if "radius_slack" in found["statement"]:
        for name, value in BAD_NUMBERS.items():
            spoilt[f"slack {name}"] = put(found, ["statement", "radius_slack"], value)
        spoilt["slack a tiny bit smaller"] = put(found, ["statement", "radius_slack"], str(Fraction(1, 9) - TINY))
        spoilt["slack 0"] = put(found, ["statement", "radius_slack"], "0")
        spoilt["slack whose square fits"] = put(found, ["statement", "radius_slack"], "-19/9")
    if found["kind"] != "least-radius":
        level = Fraction(found["statement"]["level"])
        spoilt["level a tiny bit lower"] = put(found, ["statement", "level"], str(level - TINY))
    for part in ("statement", "evidence"):
        for name in found[part]:
            spoilt[f"{part} without {name}"] = drop(found, [part, name])
        spoilt[f"{part} with a field nobody checks"] = put(found, [part, "proved"], True)
        spoilt[f"{part} a list"] = put(found, [part], [found[part]])
        spoilt[f"{part} null"] = put(found, [part], None)
    for name in ("format", "kind", "statement", "evidence"):
        spoilt[f"no {name}"] = drop(found, [name])
    spoilt["another format"] = put(found, ["format"], "modeconn.certificate/2")
    for kind in sorted(set(KINDS) - {found["kind"]}):
        spoilt[f"as {kind}"] = put(found, ["kind"], kind)
    pairs = {label: (changed, problem) for label, changed in spoilt.items()}
    for name in problem:
        if name not in ("region", "about") or found["kind"] != "least-radius":
            pairs[f"problem without {name}"] = (found, drop(problem, [name]))
            pairs[f"problem: {name} null"] = (found, put(problem, [name], None))
    pairs["problem with a field nobody reads"] = (found, {**problem, "units": "m"})
    return pairs


@pytest.mark.parametrize("name", MAKERS)
def test_every_mutation_is_rejected(name, tmp_path, capsys):
    """Oracle: by construction; the certificate itself is accepted, from memory and from files, and no spoilt copy."""
    found, problem, changes = MAKERS[name]()
    before = copy.deepcopy((found, problem))
    answer = check_certificate(found, problem)
    assert answer.accepted, answer.reason
    shared = common(found, problem)
    assert not set(shared) & set(changes)
    spoilt = {**shared, **changes}
    assert [label for label, pair in spoilt.items() if not is_rejected(*pair)] == []
    assert (found, problem) == before

    user, path = tmp_path / "problem.json", tmp_path / "certificate.json"
    written = json.dumps(found)
    user.write_text(json.dumps(problem))
    path.write_text(written)
    assert check_certificate(path, user).accepted
    assert main([str(path), "--problem", str(user)]) == 0
    level = found["statement"]["level"]
    files = {
        "truncated": written[: len(written) // 2],
        "a list": f"[{written}]",
        "nan": written.replace(f'"level": "{level}"', '"level": NaN'),
        "infinity": written.replace(f'"level": "{level}"', '"level": Infinity'),
        "float": written.replace(f'"level": "{level}"', '"level": 1000.0'),
        "huge": written.replace(f'"level": "{level}"', '"level": 1e999999999'),
        "a field twice": written.replace('"level": ', '"level": "9", "level": ', 1),
        "deep": "[" * 100_000,
    }
    for label, content in files.items():
        path.write_text(content)
        assert content != written, label
        assert is_rejected(path, user), label
        assert main([str(path), "--problem", str(user)]) in (1, 2), label
    with capsys.disabled():
        print(f"\n{name}: {len(spoilt) + len(files)} mutations, all rejected")
    assert len(changes) >= 40
    assert len(spoilt) >= 80


@pytest.mark.parametrize("name", MAKERS)
def test_weaker_statements_are_accepted_too(name):
    """Oracle: logic; a higher level or slack, a smaller bound, a narrower net."""
    found, problem, _ = MAKERS[name]()
    statement = dict(found["statement"])
    if found["kind"] == "least-radius":
        statement |= {"level": "1/26", "radius_product_lower": "1/3"}
        statement["width"] = statement["width"] and statement["width"] - 1
    else:
        statement["level"] = "1000"
        statement |= {"radius_slack": 2} if "radius_slack" in statement else {"width": 10**40}
    answer = check_certificate({**found, "statement": statement, "about": ["not read"]}, problem)
    assert answer.accepted, answer.reason


@pytest.mark.parametrize(
    "region",
    [
        None,
        [],
        {},
        "spectral",
        {"norm": "spectral"},
        {"norm": "spectral", "radius": 0},
        {"norm": "spectral", "radius": "-1"},
        {"norm": "spectral", "radius": True},
        {"norm": "spectral", "radius": 1.5},
        {"norm": "spectral", "radius": float("nan")},
        {"norm": "spectral", "radius": "1e999999999"},
        {"norm": "nuclear", "radius": 9},
        {"norm": "schatten:1", "radius": 9},
        {"norm": "schatten:3", "radius": 9},
        {"norm": "schatten:4.0", "radius": 9},
        {"norm": "schatten:0", "radius": 9},
        {"norm": "schatten:66", "radius": 9},
        {"norm": "schatten:inf", "radius": 9},
        {"norm": "schatten:", "radius": 9},
        {"norm": "Spectral", "radius": 9},
        {"norm": 2, "radius": 9},
        {"norm": ["spectral"], "radius": 9},
        {"joint": {"norm": "spectral", "radius": 9}},
        {"joint": {"norm": "schatten:2", "radius": 9}},
        {"joint": {"norm": "linf", "radius": 9}},
        {"joint": {"norm": "frobenius", "radius": 9}, "W": {"norm": "spectral", "radius": 9}},
        {"W": {"norm": "spectral", "radius": 9}, "b": {"norm": "linf", "radius": 9}},
        [[{"norm": "spectral", "radius": 9}]],
        [{"norm": "spectral", "radius": 9}, {}],
        [{"norm": "spectral", "radius": 9}, None],
    ],
)
@pytest.mark.parametrize("name", ["gram-path", "cell-path", "attained"])
def test_regions_that_say_nothing_decide_nothing(name, region):
    """Oracle: by construction; with a region that has a meaning and is large, the certificate is accepted."""
    found, problem, _ = MAKERS[name]()
    assert check_certificate(found, {**problem, "region": {"norm": "spectral", "radius": 9}}).accepted
    with pytest.raises(ProblemError, match="region"):
        check_certificate(found, {**problem, "region": region})
