"""The checker accepts true barrier certificates and rejects every mutation of them."""

import copy
import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from proofs_check.checker import (
    KINDS,
    CertificateError,
    CheckResult,
    ProblemError,
    barrier_certificate,
    barrier_problem,
    check_certificate,
    write_certificate,
)
from proofs_check.checker.__main__ import main
from proofs_check.exact import BASELINES, number_from, number_to_string, polyline_enclosure, segment_enclosure

TINY = Fraction(1, 10**30)


def pair(seed):
    """Two random nets of width 3 with two outputs, in double precision, and data between them."""
    rng = np.random.default_rng(seed)
    nets = [(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=3)) for _ in range(2)]
    X = rng.normal(size=(6, 2))
    Y = sum(share * np.maximum(X @ W + b, 0) @ A.T for share, (W, A, b) in zip((0.6, 0.4), nets, strict=True))
    return nets, X, Y


def certified(seed, baseline):
    """A problem and its certificate."""
    nets, X, Y = pair(seed)
    found = segment_enclosure(*nets, X, Y, baseline=baseline)
    return barrier_problem(nets, X, Y), barrier_certificate(found, baseline)


def sharp():
    """The swap of two neurons: the barrier is exactly 1, at t = 1/2."""
    nets = [([[1, 0], [0, 1]], None, None), ([[0, 1], [1, 0]], None, None)]
    data = [[1, 0], [0, 1], [1, -1], [-1, 1]]
    problem = barrier_problem(nets, data, [1, 1, 1, 1])
    found = segment_enclosure(*nets, data, [1, 1, 1, 1])
    assert found.lower == found.upper == 1
    return problem, barrier_certificate(found, "linear")


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("seed", range(4))
def test_true_certificates_are_accepted(seed, baseline):
    """Oracle: the enclosure, computed by branch and bound; the checker decides with Sturm sequences."""
    problem, certificate = certified(seed, baseline)
    through_json = json.loads(json.dumps(certificate)), json.loads(json.dumps(problem))
    assert check_certificate(*through_json).accepted
    assert check_certificate(certificate, problem).reason.startswith(f"segment barrier above the {baseline} baseline")
    for key in ("max_loss_lower", "max_loss_upper"):
        del certificate["statement"][key]
    del certificate["evidence"]["t_max_loss"]
    assert check_certificate(certificate, problem).accepted


def test_weaker_statements_are_accepted_too():
    """Oracle: logic, a wider interval with the same witness is true as well."""
    problem, certificate = sharp()
    certificate["statement"] |= {"lower": "-1e400", "upper": "1e400"}
    certificate["about"] = {"anything": ["not read"]}
    assert check_certificate(certificate, problem).accepted


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("backwards", [False, True])
def test_polyline_certificates(backwards, baseline):
    """Oracle: the enclosure; an upper bound below a value that is attained, or the chain without a net, must fail."""
    nets, X, Y = pair(0)
    chain = [nets[0], pair(1)[0][0], nets[1]][:: -1 if backwards else 1]
    found = polyline_enclosure(chain, X, Y, baseline=baseline)
    certificate, problem = barrier_certificate(found, baseline, kind="polyline-barrier"), barrier_problem(chain, X, Y)
    assert check_certificate(certificate, problem).accepted
    assert not check_certificate(certificate, barrier_problem([chain[0], chain[2]], X, Y)).accepted
    assert not check_certificate(certificate | {"kind": "segment-barrier"}, problem).accepted
    certificate["statement"]["upper"] = certificate["statement"]["lower"] = number_to_string(found.lower - TINY)
    assert "exceeded for some t" in check_certificate(certificate, problem).reason


def test_the_float_maximum_is_no_upper_bound():
    """Oracle: closed form, the largest of (1 + t)(3 - 2t) is irrational nowhere but its loss has no float maximiser.

    The largest value on a grid of 1,001 points, posing as an upper bound, is exceeded between the grid points.
    """
    nets = [([[3]], [[1]], None), ([[1]], [[2]], None)]
    problem = barrier_problem(nets, [[1]], [1])
    found = segment_enclosure(*nets, [[1]], [1])
    certificate = barrier_certificate(found, "linear")

    def gap(t):
        return ((3 - 2 * t) * (1 + t) - 1) ** 2 / 2 - (2 - Fraction(3, 2) * t)

    grid = max(gap(Fraction(k, 1000)) for k in range(1001))
    assert grid < found.lower
    certificate["statement"]["upper"] = number_to_string(grid)
    assert not check_certificate(certificate, problem).accepted


def statement(**changes):
    """A mutation that sets entries of the statement."""
    return lambda certificate, problem: certificate["statement"].update(changes)


def evidence(**changes):
    """A mutation that sets entries of the evidence."""
    return lambda certificate, problem: certificate["evidence"].update(changes)


def frame(**changes):
    """A mutation that sets entries of the certificate."""
    return lambda certificate, problem: certificate.update(changes)


def shift(key, by):
    """A mutation that adds to a number of the statement."""

    def mutate(certificate, problem):
        part = certificate["statement"]
        part[key] = number_to_string(number_from(part[key]) + by)

    return mutate


def remove(*path):
    """A mutation that deletes an entry."""

    def mutate(certificate, problem):
        part = certificate
        for key in path[:-1]:
            part = part[key]
        del part[path[-1]]

    return mutate


def swap(first, second):
    """A mutation that exchanges two entries of the statement."""

    def mutate(certificate, problem):
        part = certificate["statement"]
        part[first], part[second] = number_to_string(number_from(part[second]) + TINY), part[first]

    return mutate


def mutate_net(certificate, problem):
    """One weight of the problem changes in its last bit: the certificate was for another one."""
    problem["nets"][0]["W"][0][0] = float(np.nextafter(1.0, 2.0))


def mutate_problem(key, value):
    """Another problem."""
    return lambda certificate, problem: problem.update({key: value})


def reverse_nets(certificate, problem):
    """The segment run backwards, with a witness that is not its own mirror."""
    problem["nets"] = problem["nets"][::-1]
    certificate["evidence"]["t"] = "1/3"


def smuggle_problem(certificate, problem):
    """An easier problem inside the certificate, with its true statement."""
    easy = {"nets": [problem["nets"][0]] * 2, "X": problem["X"], "Y": problem["Y"]}
    certificate["problem"] = easy
    certificate["statement"] = {"baseline": "linear", "lower": "0", "upper": "0"}
    certificate["evidence"] = {"t": "0"}


MUTATIONS = {
    "sign of lower and upper": statement(lower="-1", upper="-1"),
    "sign of upper": statement(upper="-1"),
    "digit of lower": statement(lower="2"),
    "digit of upper": statement(upper="9/10"),
    "numerator and denominator exchanged": statement(lower="3/2", upper="3/2"),
    "lower raised by 1e-30": shift("lower", TINY),
    "upper lowered by 1e-30": shift("upper", -TINY),
    "largest loss raised by 1e-30": shift("max_loss_lower", TINY),
    "bound of the largest loss lowered by 1e-30": shift("max_loss_upper", -TINY),
    "ends exchanged": swap("lower", "upper"),
    "ends of the largest loss exchanged": swap("max_loss_lower", "max_loss_upper"),
    "zero barrier claimed": statement(lower="0", upper="0"),
    "witness moved": evidence(t="0.4999999999999999999999999999999999"),
    "witness at an end": evidence(t="0"),
    "witness below 0": evidence(t="-1/2"),
    "witness above 1": evidence(t="3/2"),
    "witness of the largest loss moved": evidence(t_max_loss="1/3"),
    "witness missing": remove("evidence", "t"),
    "witness of the largest loss missing": remove("evidence", "t_max_loss"),
    "evidence missing": remove("evidence"),
    "evidence is a list": frame(evidence=["1/2"]),
    "statement missing": remove("statement"),
    "statement is text": frame(statement="barrier 1"),
    "lower missing": remove("statement", "lower"),
    "one bound of the largest loss missing": remove("statement", "max_loss_upper"),
    "unknown field in the statement": statement(tolerance="1/10"),
    "unknown field in the certificate": frame(tolerance="1/10"),
    "lower is a float": statement(lower=1.0),
    "upper is infinite": statement(upper="inf"),
    "lower is NaN": statement(lower="nan"),
    "lower divides by zero": statement(lower="1/0"),
    "lower is a truth value": statement(lower=True),
    "upper is null": statement(upper=None),
    "upper is a list": statement(upper=["1"]),
    "upper is nonsense": statement(upper="about 1"),
    "upper too long to read": statement(upper="9" * 5000),
    "witness is a float": evidence(t=0.5),
    "baseline unknown": statement(baseline="Linear"),
    "baseline is a list": statement(baseline=["linear"]),
    "another format": frame(format="modeconn.certificate/2"),
    "format missing": remove("format"),
    "another kind": frame(kind="joined-by-magic"),
    "kind is a list": frame(kind=["segment-barrier"]),
    "kind missing": remove("kind"),
    "one weight changed in its last bit": mutate_net,
    "other targets": mutate_problem("Y", [1, 1, 1, "0.999999999999999999999999999999"]),
    "other data": mutate_problem("X", [[1, 0], [0, 1], [1, -1], [0, 1]]),
    "nets exchanged": reverse_nets,
    "easier problem inside the certificate": smuggle_problem,
}


def test_every_mutation_is_rejected(capsys):
    """Oracle: by construction, every mutation makes the statement false or the certificate malformed; none may pass.

    The unmutated certificate is accepted, with lower = upper = the barrier, so that 1e-30 decides.
    """
    assert check_certificate(*reversed(sharp())).accepted
    passed = []
    for name, mutate in MUTATIONS.items():
        problem, certificate = (copy.deepcopy(part) for part in sharp())
        mutate(certificate, problem)
        result = check_certificate(certificate, problem)
        assert isinstance(result, CheckResult)
        assert "\n" not in result.reason
        if result.accepted:
            passed.append(name)
    assert passed == []
    with capsys.disabled():
        print(f"\nsegment-barrier: {len(MUTATIONS)} kinds of mutation, all rejected")
    assert len(MUTATIONS) >= 20


@pytest.mark.parametrize("backwards", [False, True])
def test_an_upper_bound_below_the_value_at_an_end_is_rejected(backwards):
    """Oracle: closed form, weights 2 and 1/2 on y = 1: losses 1/2 and 1/8, so 3/16 above the mean, at the end."""
    nets = [([[2]], None, None), ([["1/2"]], None, None)]
    nets = nets[::-1] if backwards else nets
    problem = barrier_problem(nets, [[1]], [1])
    certificate = barrier_certificate(segment_enclosure(*nets, [[1]], [1], baseline="endpoint_mean"), "endpoint_mean")
    assert certificate["statement"]["upper"] == "3/16"
    assert check_certificate(certificate, problem).accepted
    for key in ("upper", "max_loss_upper"):
        changed = copy.deepcopy(certificate)
        changed["statement"]["lower"] = changed["statement"]["max_loss_lower"] = "0"
        assert check_certificate(changed, problem).accepted
        shift(key, -TINY)(changed, problem)
        assert not check_certificate(changed, problem).accepted


def test_wrong_baseline_is_rejected():
    """Oracle: the three barriers differ, since the losses at the ends do."""
    problem, certificate = certified(0, "linear")
    for other in ("endpoint_max", "endpoint_mean"):
        changed = copy.deepcopy(certificate)
        changed["statement"]["baseline"] = other
        assert not check_certificate(changed, problem).accepted


def test_certificates_of_other_problems_are_rejected():
    """Oracle: by construction, the barriers of different problems differ."""
    made = [certified(seed, "linear") for seed in range(4)]
    for i, (problem, _) in enumerate(made):
        for j, (_, certificate) in enumerate(made):
            assert check_certificate(certificate, problem).accepted == (i == j)


def test_upper_just_below_an_irrational_maximum_is_rejected():
    """Oracle: the value at a better witness, from a finer enclosure, exceeds the stated bound by 1e-30."""
    nets, X, Y = pair(2)
    fine = segment_enclosure(*nets, X, Y, tolerance=Fraction(1, 10**40))
    certificate = barrier_certificate(fine, "linear")
    problem = barrier_problem(nets, X, Y)
    assert check_certificate(certificate, problem).accepted
    shift("upper", -TINY)(certificate, problem)
    assert number_from(certificate["statement"]["upper"]) < fine.lower
    certificate["statement"]["lower"] = "0"
    certificate["evidence"]["t"] = "0"
    assert "exceeded for some t" in check_certificate(certificate, problem).reason


BAD_FILES = {
    "empty": "",
    "truncated": None,
    "not an object": "[1, 2]",
    "not a number": '{"format": NaN}',
    "field twice": '{"kind": "segment-barrier", "kind": "segment-barrier"}',
    "too deep": "[" * 200_000,
    "too long": '{"format": ' + "9" * 10_000 + "}",
    "not text": "\udcff",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_unreadable_files_are_named_without_traceback(name, tmp_path, capsys):
    """Oracle: by construction; exit code 2 and one line on stderr, whichever of the two files is bad."""
    problem, certificate = sharp()
    good, text = tmp_path / "good.json", BAD_FILES[name]
    write_certificate(good, certificate)
    whole = good.read_text()
    (tmp_path / "bad.json").write_bytes(
        (whole[: len(whole) // 2] if text is None else text).encode("utf-8", "surrogateescape")
    )
    with pytest.raises(CertificateError):
        check_certificate(tmp_path / "bad.json", problem)
    with pytest.raises(ProblemError):
        check_certificate(certificate, tmp_path / "bad.json")
    for arguments in (["bad.json", "good.json"], ["good.json", "bad.json"], ["none.json", "good.json"]):
        paths = [str(tmp_path / part) for part in arguments]
        assert main([paths[0], "--problem", paths[1]]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"X": [[float("nan"), 0]] * 4},
        {"X": [[1, 2], [3]]},
        {"Y": [1, 2]},
        {"nets": []},
        {"nets": {"W": 1}},
        {"nets": [{"W": [[1]]}, {"W": [[1]], "bias": [0]}]},
        {"nets": [{"W": [[1, 2], [3, 4]]}, 5]},
        {"units": "m"},
    ],
)
def test_problems_that_cannot_be_used_decide_nothing(change):
    """Oracle: by construction; the user's own input is at fault, so that is an error and not a rejection."""
    problem, certificate = sharp()
    with pytest.raises(ProblemError) as caught:
        check_certificate(certificate, problem | change)
    assert "\n" not in str(caught.value)


def test_command_line(tmp_path):
    """Oracle: the three exit codes, in a process of its own."""
    problem, certificate = sharp()
    named = {"net0": problem["nets"][0], "net1": problem["nets"][1], "X": problem["X"], "Y": problem["Y"]}
    write_certificate(tmp_path / "problem.json", named)
    write_certificate(tmp_path / "true.json", certificate)
    certificate["statement"]["upper"] = "1/2"
    write_certificate(tmp_path / "false.json", certificate)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["false.json", "problem.json", "true.json"]

    def run(*arguments):
        command = [sys.executable, "-m", "proofs_check.checker", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    problem_path = str(tmp_path / "problem.json")
    yes, no, bad = (
        run(str(tmp_path / name), "--problem", problem_path) for name in ("true.json", "false.json", "no.json")
    )
    assert (yes.returncode, no.returncode, bad.returncode) == (0, 1, 2)
    assert yes.stdout == "accepted: segment barrier above the linear baseline in [1, 1], largest loss in [1, 1]\n"
    assert no.stdout.startswith("rejected: ")
    assert bad.stderr.startswith("error: ")
    assert run(str(tmp_path / "true.json")).returncode == 2


def test_an_interrupted_write_leaves_nothing(tmp_path):
    """Oracle: the directory afterwards; NaN is no JSON."""
    with pytest.raises(ValueError, match="JSON"):
        write_certificate(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_registry_lists_the_kinds():
    """Oracle: the documented names."""
    assert {"segment-barrier", "polyline-barrier"} <= set(KINDS)
