"""Path certificates at the edges: numbers, biases, boundaries of balls, problems that cannot be used, the command."""

from fractions import Fraction
from math import isqrt
from typing import Any

import pytest
from wide_certificates import SWAP, TINY, certificate
from wide_radius_certificates import MAKERS

from modeconn.cli.main import main
from proofs_check.checker import ProblemError, check_certificate, write_certificate

PATHS = ("gram-path", "cell-path")


def test_biases_are_part_of_the_region():
    """Oracle: closed form; (w, b) = (3, 4) has norm 5, and relu(3 + 4) = 7."""
    net = {"W": [[3]], "A": [[1]], "b": [4]}
    problem: dict[str, Any] = {
        "net0": net,
        "net1": net,
        "X": [[1]],
        "Y": [[7]],
        "region": {"W": {"norm": "spectral", "radius": 5}},
    }
    for kind in PATHS:
        found = certificate(kind, {"level": "0", "radius_slack": "0"}, {"knots": []})
        assert check_certificate(found, problem).accepted
        for change in ({"radius": str(5 - TINY)}, {"norm": "linf", "radius": str(4 - TINY)}):
            smaller = {**problem, "region": {"W": {**problem["region"]["W"], **change}}}
            assert not check_certificate(found, smaller).accepted
        with pytest.raises(ProblemError, match="equal"):
            check_certificate(found, {**problem, "net1": {"W": [[3]], "A": [[1]]}})


def test_json_floats_in_weights_are_the_floats_and_radii_the_decimals(tmp_path):
    """Oracle: 0.1 as a float exceeds one tenth, so a weight 0.1 lies outside the ball of radius 0.1."""
    text = (
        '{"net0": {"W": [[0.1]], "A": [%s]}, "net1": {"W": [[0.1]], "A": [%s]}, "X": [[1]], "Y": [0], '
        '"region": {"W": {"norm": "%s", "radius": 0.1}}}'
    )
    for kind, norm in (("gram-path", "spectral"), ("cell-path", "linf"), ("cell-path", "frobenius")):
        found = certificate(kind, {"level": "1", "radius_slack": "0"}, {"knots": []})
        write_certificate(tmp_path / "c.json", found)
        for a in ("1", "0"):
            (tmp_path / "p.json").write_text(text % (a, a, norm))
            assert "net0" in check_certificate(tmp_path / "c.json", tmp_path / "p.json").reason
            (tmp_path / "p.json").write_text((text % (a, a, norm)).replace("[[0.1]]", '[["0.1"]]'))
            assert check_certificate(tmp_path / "c.json", tmp_path / "p.json").accepted


@pytest.mark.parametrize(
    "change",
    [
        {"net0": None},
        {"net0": {"W": [[1, -1]]}},
        {"net0": {"W": [[1, -1]], "A": None}},
        {"net0": {"W": [[1, -1]], "A": [1]}},
        {"net0": {"W": [[1, -1], [1, 1]], "A": [1, 1]}},
        {"net0": {"W": [[1, -1]], "A": [1, 1], "c": 1}},
        {"net0": {"W": [[1, -1]], "A": [1, 1], "b": [0, 0]}},
        {"net0": {"W": [[1, -1]], "A": [1, 1], "b": [0]}},
        {"net0": {"W": [[1, float("nan")]], "A": [1, 1]}},
        {"net0": {"W": [[1, float("inf")]], "A": [1, 1]}},
        {"net0": {"W": [[1, True]], "A": [1, 1]}},
        {"net0": {"W": [[1, "1e999999999"]], "A": [1, 1]}},
        {"net0": {"W": [[1, -1, 0]], "A": [1, 1, 0]}},
        {"net0": {"W": [[1, -1]], "A": [[1, 1], [1, 1]]}},
        {"X": []},
        {"X": [[1], [1, 2]]},
        {"X": [[1], [float("nan")]]},
        {"Y": [1]},
        {"Y": [[1, 1], [1, 1]]},
        {"Y": "11"},
        {"units": "m"},
    ],
)
@pytest.mark.parametrize("kind", PATHS)
def test_problems_that_cannot_be_used_decide_nothing(kind, change):
    """Oracle: by construction; the user's own input is at fault: an error of one line, not a rejection."""
    found = certificate(kind, {"level": "0", "radius_slack": "0"}, {"knots": []})
    with pytest.raises(ProblemError) as caught:
        check_certificate(found, {**SWAP, **change})
    assert "\n" not in str(caught.value)


def test_exact_boundary_with_many_irregular_scales(monkeypatch):
    """Oracle: closed form; m equal parts of one neuron have sum u^2 / beta = 4 exactly, which rounding up exceeds."""
    parts = [Fraction(k * k + 1, 3**9) for k in range(1, 40)]
    total = sum(parts)
    neurons: list[Any] = [[[str(2 * part / total)], str(part / total), 1] for part in parts]
    problem = {
        "X": [[1]],
        "y": [2],
        "region": {"W": {"norm": "spectral", "radius": 2}, "A": {"norm": "linf", "radius": 1}},
    }
    found = certificate("attained", {"width": 39, "level": "0"}, {"neurons": neurons})
    assert check_certificate(found, problem).accepted
    for radius in (str(2 - TINY), "0x1.fffffffffffffp+0"):
        smaller = {**problem, "region": {"W": {"norm": "spectral", "radius": radius}}}
        assert "outside the spectral ball" in check_certificate(found, smaller).reason
    neurons[0][1] = str(Fraction(neurons[0][1]) * Fraction(999, 1000))
    monkeypatch.setattr("proofs_check.checker.cell_state._LCM_BITS", 8)
    assert "widen radius_slack" in check_certificate(found, problem).reason


@pytest.mark.parametrize("name", ["gram-path", "cell-path", "attained", "least-radius"])
def test_the_command_knows_the_kinds(name, tmp_path, capsys):
    """Oracle: exit codes of ``modeconn check``: 0 accepted, 1 rejected, 2 bad input."""
    found, problem, _ = MAKERS[name]()
    files = {"problem": problem, "true": found, "false": {**found, "statement": {**found["statement"], "level": "-1"}}}
    for label, value in files.items():
        write_certificate(tmp_path / label, value)
    codes = [
        main(["check", str(tmp_path / label), "--problem", str(tmp_path / "problem")]) for label in ("true", "false")
    ]
    assert codes == [0, 1]
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("accepted: ")
    assert out[1].startswith("rejected: ")
    write_certificate(tmp_path / "problem", {**problem, "X": [[1], [2, 3]]})
    assert main(["check", str(tmp_path / "true"), "--problem", str(tmp_path / "problem")]) == 2


@pytest.mark.parametrize(
    "region",
    [{"A": {"norm": "spectral", "radius": 9}}, {"W": {"norm": "spectral", "radius": 9}}, {"norm": "linf", "radius": 9}],
)
@pytest.mark.parametrize(("u", "beta"), [("1", "0"), ("1", "-1"), ("0", "-1"), ("1/9", "-1/1000000")])
def test_no_weights_have_beta_below_zero_or_zero_with_u(u, beta, region):
    """Oracle: beta = alpha^2 and u = |alpha| w; whatever the region forbids besides."""
    problem = {"X": [[1]], "y": [1], "region": region}
    found = certificate("attained", {"width": 2, "level": "100"}, {"neurons": [[["1"], "1", 1], [[u], beta, 1]]})
    assert "expected beta > 0" in check_certificate(found, problem).reason
    path = {"net0": {"W": [[1, 0]], "A": [1, 0]}, "net1": {"W": [[1, 0]], "A": [1, 0]}, "X": [[1]], "Y": [1]}
    knots = [[[1, [u], beta, 1]], [[1, ["0"], "0", 1]]]
    found = certificate("cell-path", {"level": "100", "radius_slack": "0"}, {"knots": knots})
    assert "expected beta > 0" in check_certificate(found, {**path, "region": region}).reason


def test_rounding_of_quotients_never_helps():
    """Oracle: closed form; u^2 / beta = 1/3 against r^2 below 1/3 by less than 2**-500, and above it by as little."""
    root = isqrt((1 << 1200) // 3)
    neurons = [[["1"], "3", 1]]
    for numerator, accepted in ((root, False), (root + 1, True)):
        region = {"W": {"norm": "frobenius", "radius": f"{numerator}/{1 << 600}"}}
        found = certificate("attained", {"width": 1, "level": "0"}, {"neurons": neurons})
        assert check_certificate(found, {"X": [[1]], "y": [1], "region": region}).accepted == accepted


def test_a_cell_path_is_about_one_output():
    """Oracle: the reason; with two equal outputs of the same nets the ball of A is not to blame."""
    changed, problem = MAKERS["cell-path"]()[2]["problem: two equal outputs"]
    wide = {**problem, "region": {"norm": "spectral", "radius": 99}}
    assert "one output" in check_certificate(changed, wide).reason


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("gram-path", "t of many bits"),
        ("gram-path", "neurons of many bits"),
        ("cell-path", "common denominators"),
        ("cell-path", "common denominators of beta"),
    ],
)
def test_numbers_that_would_take_too_long_are_refused_at_once(kind, label):
    """Oracle: the reason; short texts with coprime denominators must not unfold into sums of a million bits."""
    changed, problem = MAKERS[kind]()[2][label]
    assert "common denominator" in check_certificate(changed, problem).reason
