"""``modeconn connect``: paths, certificates that the checker decides, refusals, bad input."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

import modeconn.cli.connect as command
from modeconn.cli.main import main
from modeconn.constructions import load_gram_path
from modeconn.io import write_net
from modeconn.nets import Net


def _half_squares(W, A, X, Y, b=0.0):
    """The loss, written out."""
    return 0.5 * float(np.sum((np.maximum(X @ W + b, 0.0) @ A.T - Y) ** 2))


def _folder(folder, n=4, d=2, c=1, m=24, bias=False, seed=0):
    """Write two nets with entries in [-0.2, 0.2] and data; return the words of the command and what was written."""
    rng = np.random.default_rng(seed)
    shapes = (d, m), (c, m), *([(m,)] if bias else [])
    leaves = [[rng.uniform(-0.2, 0.2, shape) for shape in shapes] for _ in range(2)]
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    for name, net in zip("ab", leaves, strict=True):
        write_net(folder / f"{name}.npz", Net(*net))
    np.savez(folder / "data.npz", X=X, y=Y)
    words = ["connect", str(folder / "a.npz"), str(folder / "b.npz"), "--data", str(folder / "data.npz")]
    return words, leaves, X, Y


def _connect(folder, words, region, *more):
    """Run the command with a certificate; return its status and its record."""
    arguments = [*words, "--region", region, "--certificate", str(folder / "c.json"), "--json", str(folder / "r.json")]
    status = main([*arguments, *more])
    return status, json.loads((folder / "r.json").read_text())


CASES = [
    ("spectral:1.5", {}),
    ("spectral:2,frobenius:2", {"c": 2, "n": 3, "m": 60}),
    ("joint-frobenius:3", {"bias": True}),
    ("schatten:4:2", {"m": 30}),
    ("linf:0.2", {"m": 40}),
    ("linf:0.2", {"m": 40, "bias": True}),
    ("spectral:1.5,linf:0.2", {"m": 40}),
]


@pytest.mark.parametrize(("region", "sizes"), CASES)
def test_the_checker_accepts_and_the_level_is_the_worse_end(tmp_path, capsys, region, sizes) -> None:
    """Certificate: 'modeconn check' accepts it. Independent implementation: the losses of the two ends."""
    words, leaves, X, Y = _folder(tmp_path, **sizes)
    status, record = _connect(tmp_path, words, region)
    assert status == 0
    assert record["joined"]
    assert record["accepted"] is True
    out = capsys.readouterr().out
    assert "certified: a path joins the two nets" in out
    assert main(["check", record["certificate"], "--problem", record["problem"]]) == 0
    worse = max(_half_squares(*net[:2], X, Y, *net[2:]) for net in leaves)
    assert record["level_float"] == pytest.approx(worse, rel=1e-9)
    assert record["level_float"] >= record["sampled"]["max_loss"] - 1e-12 * worse
    assert record["sampled"]["excess"] <= 1e-12
    assert record["segment"]["baseline"] == "endpoint_max"
    assert record["segment"]["upper"] >= 0


def test_changed_weights_are_rejected(tmp_path, capsys) -> None:
    """Independent implementation: a weight of the worse end moved so that its loss exceeds the level; a smaller ball.

    A change that leaves the statement true (of the better end, say) is rightly accepted: the evidence names neurons.
    """
    words, leaves, X, Y = _folder(tmp_path)
    _, record = _connect(tmp_path, words, "spectral:1.5")
    worse = max((0, 1), key=lambda k: _half_squares(*leaves[k], X, Y))

    def verdict(change):
        problem = json.loads((tmp_path / "c-problem.json").read_text())
        change(problem)
        (tmp_path / "other.json").write_text(json.dumps(problem))
        return main(["check", record["certificate"], "--problem", str(tmp_path / "other.json")])

    rejected = 0
    for j in range(24):
        for factor in (0.5, 1.001):
            A = leaves[worse][1].copy()
            A[0, j] *= factor
            if _half_squares(leaves[worse][0], A, X, Y) > record["level_float"]:
                assert verdict(lambda problem, A=A: problem[f"net{worse}"].update(A=A.tolist())) == 1
                rejected += 1
    assert rejected >= 12
    assert "another problem file" in capsys.readouterr().out
    assert verdict(lambda problem: problem["region"]["W"].update(radius="1/2")) == 1
    assert verdict(lambda problem: None) == 0


def test_changed_certificates_are_rejected(tmp_path) -> None:
    """By construction: a weight t of a knot beyond the ball, a level below an end, a knot left out."""
    words, *_ = _folder(tmp_path)
    _, record = _connect(tmp_path, words, "spectral:1.5")
    good = json.loads((tmp_path / "c.json").read_text())

    def verdict(change):
        bad = json.loads(json.dumps(good))
        change(bad)
        (tmp_path / "bad.json").write_text(json.dumps(bad))
        return main(["check", str(tmp_path / "bad.json"), "--problem", record["problem"]])

    def inflate(bad):
        move = next(move for move in bad["evidence"]["knots"][0] if move[2] not in ("0", "1"))
        move[2] = "1000000"  # its neuron alone leaves the ball

    assert verdict(lambda bad: None) == 0
    assert verdict(inflate) == 1
    assert verdict(lambda bad: bad["statement"].update(level=str(record["level_float"] / 2))) == 1
    assert verdict(lambda bad: bad["evidence"]["knots"].pop()) == 1


def test_a_certificate_that_is_not_accepted_is_not_called_certified(tmp_path, capsys, monkeypatch) -> None:
    """By construction: a level of zero."""
    from modeconn.constructions import Connection

    true_one = Connection.certificate
    lie = {"level": "0", "radius_slack": "0"}
    monkeypatch.setattr(Connection, "certificate", lambda self: {**true_one(self), "statement": lie})
    words, *_ = _folder(tmp_path)
    status, record = _connect(tmp_path, words, "spectral:1.5")
    assert status == 3
    assert record["accepted"] is False
    out = capsys.readouterr().out
    assert "NOT accepted" in out
    assert "certified:" not in out


def test_large_certificates_are_left_to_the_user(tmp_path, capsys, monkeypatch) -> None:
    """By construction: a budget of nothing."""
    monkeypatch.setattr(command, "CHECKABLE", 0)
    words, *_ = _folder(tmp_path)
    status, record = _connect(tmp_path, words, "spectral:1.5")
    assert status == 0
    assert record["accepted"] is None
    out = capsys.readouterr().out
    assert "modeconn check" in out
    assert "certified:" not in out
    assert main(["check", record["certificate"], "--problem", record["problem"]]) == 0


def test_too_narrow_nets_are_refused_with_the_numbers(tmp_path, capsys) -> None:
    """By construction: four independent neurons each, four slots, N = n + 3 + 1 = 10; for boxes there is no N."""
    words, *_ = _folder(tmp_path, n=6, m=4, seed=3)
    status, record = _connect(tmp_path, words, "spectral:1.5")
    assert status == 3
    assert not record["joined"]
    assert "certificate" not in record
    assert record["N"] == 10
    assert record["live"][0] <= 4
    assert "level" not in record
    out = capsys.readouterr().out
    assert "no path: width 4 does not suffice" in out
    assert "N = 10" in out
    assert not list(tmp_path.glob("c*.json"))
    status, record = _connect(tmp_path, words, "linf:0.2")
    assert status == 3
    assert record["N"] is None
    assert record["needed"] > 4


def test_files_and_figure(tmp_path) -> None:
    """Independent implementation: the loss at the knots of the saved path; the figure is an SVG."""
    words, _, X, Y = _folder(tmp_path)
    more = ["--path", str(tmp_path / "p.npz"), "--plot", str(tmp_path / "p.svg"), "--problem", str(tmp_path / "q.json")]
    status, record = _connect(tmp_path, words, "spectral:1.5", *more)
    assert status == 0
    assert record["problem"] == str(tmp_path / "q.json")
    path = load_gram_path(tmp_path / "p.npz")
    assert path.pieces == record["pieces"]
    losses = [_half_squares(net.W, net.A, X, Y) for net in map(path.net, range(path.pieces + 1))]
    assert max(losses) == pytest.approx(record["level_float"], rel=1e-9)
    text = (tmp_path / "p.svg").read_text()
    assert "<svg" in text
    assert "live neurons" in text


def test_logistic_loss_has_a_path_without_certificate(tmp_path) -> None:
    """Independent implementation: the logistic losses of the ends."""
    words, leaves, X, Y = _folder(tmp_path)
    signs = np.sign(Y)
    np.savez(tmp_path / "data.npz", X=X, y=signs)
    options = ["--region", "spectral:1.5", "--loss", "logistic"]
    assert main([*words, *options, "--json", str(tmp_path / "r.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    ends = [np.log1p(np.exp(-signs * (np.maximum(X @ W, 0) @ A.T))).sum() for W, A in leaves]
    assert record["level_float"] == pytest.approx(max(ends), rel=1e-6)
    assert main([*words, *options, "--certificate", str(tmp_path / "c.json")]) == 2


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("spectral:0.1", "outside the radius 0.1 by"),
        ("linf:0.1", "outside the radius 0.1 by"),
        ("spectral:0", "expected a finite number > 0"),
        ("linf:-1", "expected a finite number > 0"),
        ("schatten:1:5", "not covered"),
        ("spectral:nan", "expected a finite"),
        ("spectral", "expected NORM:RADIUS"),
        ("nuclear:2", "nuclear"),
    ],
)
def test_regions_that_do_not_hold_the_nets_or_are_none(tmp_path, capsys, region, said) -> None:
    """By construction; one line, exit status 2, and nothing is written."""
    words, *_ = _folder(tmp_path)
    assert main([*words, "--region", region, "--certificate", str(tmp_path / "c.json")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "c.json").exists()


def test_how_far_outside(tmp_path, capsys) -> None:
    """Closed form: a net whose largest entry is 0.2 exceeds the box of radius 0.16 by a quarter of it."""
    words, leaves, *_ = _folder(tmp_path)
    leaves[0][0][0, 0] = 0.2
    write_net(tmp_path / "a.npz", Net(*leaves[0]))
    assert main([*words, "--region", "linf:0.16"]) == 2
    assert "0.2, outside the radius 0.16 by 0.25 of it" in capsys.readouterr().err


def test_nets_and_data_that_do_not_fit(tmp_path, capsys) -> None:
    """By construction: other widths, other inputs, NaN, several outputs in a box."""
    words, leaves, X, Y = _folder(tmp_path)
    options = ["--region", "spectral:1.5"]

    def refused(said):
        assert main([*words, *options]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1

    W, A = leaves[1]
    write_net(tmp_path / "b.npz", Net(W[:, :-1], A[:, :-1]))
    refused("widths 24 and 23")
    np.savez(tmp_path / "b.npz", W=np.where(W > 0, np.nan, W), a=A)
    refused("NaN")
    write_net(tmp_path / "b.npz", Net(W, A))
    np.savez(tmp_path / "data.npz", X=np.ones((4, 3)), y=Y)
    refused("3")
    np.savez(tmp_path / "data.npz", X=X, y=np.ones((4, 2)))
    refused("2")
    words, *_ = _folder(tmp_path, c=2)
    options = ["--region", "linf:0.2"]
    refused("2 outputs")


@pytest.mark.parametrize(
    "options",
    [
        ["--certificate", "no/such/folder/c.json"],
        ["--plot", "figure.txt"],
        ["--path", "path.json"],
        ["--construction", "edge-wlak"],
        ["--construction", "scaled-cells"],
        ["--loss", "huber"],
    ],
)
def test_bad_options(tmp_path, capsys, options) -> None:
    """By construction."""
    words, *_ = _folder(tmp_path)
    assert main([*words, "--region", "spectral:1.5", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("region", ["schatten:3:2", "schatten:2.5:2", "schatten:66:2", "spectral:1.5&schatten:3:2"])
def test_balls_that_no_certificate_covers(tmp_path, capsys, monkeypatch, region) -> None:
    """By construction: refused before any work with a certificate, a path without one."""
    words, *_ = _folder(tmp_path, m=30)
    monkeypatch.setattr("modeconn.constructions.connect", lambda *_: pytest.fail("work was done"))
    assert main([*words, "--region", region, "--certificate", str(tmp_path / "c.json")]) == 2
    err = capsys.readouterr().err
    assert "even p" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "c.json").exists()
    monkeypatch.undo()
    assert main([*words, "--region", region, "--json", str(tmp_path / "r.json")]) == 0


def test_the_printed_slack_is_what_it_says(tmp_path, capsys) -> None:
    """Independent implementation: the loss of the worse end in floats lies below the level by rounding only."""
    words, leaves, X, Y = _folder(tmp_path)
    assert main([*words, "--region", "spectral:1.5", "--json", str(tmp_path / "r.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    text = capsys.readouterr().out
    assert f"above the rounded-up loss of the worse end by {record['level_slack']:.3g}" in text
    worse = max(_half_squares(*leaf, X, Y) for leaf in leaves)
    assert record["level_float"] - record["level_slack"] >= worse * (1 - 1e-14)
    assert record["level_float"] == pytest.approx(worse, rel=1e-11)


def test_printed_levels_are_rounded_up() -> None:
    """Oracle: rational comparison; the nearest float of 1/3 is below it, that of 2/3 as well, 1/2 is a float."""
    for level in (Fraction(1, 3), Fraction(2, 3), Fraction(1, 10), Fraction(1, 2)):
        value = command._rounded_up(level)
        assert Fraction(value) >= level
        assert value <= float(level) * (1 + 2**-51)
    assert command._rounded_up(Fraction(1, 2)) == 0.5
