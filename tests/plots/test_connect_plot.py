"""The figure of loss and live neurons along paths."""

from __future__ import annotations

import pytest

from modeconn.plots.connect import LOWEST, PATHS, draw_connections

ONE = {"case": "one", "optimizer": "muon"}
ROWS = [
    ONE | {"path": "segment", "t": [0, 0.5, 1], "loss": [0.1, 2.0, 0.2], "live": None},
    ONE | {"path": "constructed", "t": [0, 0.3, 1], "loss": [0.1, 0.0, 0.2], "live": [9, 4, 9]},
    {"case": "two", "optimizer": "lion", "path": "chain", "t": [0, 1], "loss": [0.0, 0.0], "live": None},
]


@pytest.fixture
def figure():
    return draw_connections([row | {"worse_end": max(row["loss"][0], row["loss"][-1])} for row in ROWS])


def test_what_is_drawn_is_what_is_in_the_rows(figure) -> None:
    """By construction; a loss of zero is drawn at the lowest value of the logarithmic axis."""
    above, other, below, _ = figure.axes
    assert [ax.get_title() for ax in (above, other)] == ["one", "two"]
    drawn = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in above.lines}
    assert drawn["straight segment"] == ([0, 0.5, 1], [0.1, 2.0, 0.2])
    assert drawn["constructed path"] == ([0, 0.3, 1], pytest.approx([0.1, 2.0 * LOWEST, 0.2]))
    assert drawn["worse end"][1] == [0.2, 0.2]
    (live,) = below.lines
    assert list(live.get_ydata()) == [9, 4, 9]
    assert above.get_yscale() == "log"


def test_all_zero_losses_can_be_drawn(figure) -> None:
    """By construction: the second case has no positive loss at all."""
    (chain, worse) = figure.axes[1].lines
    assert chain.get_label() == PATHS["chain"][0]
    assert min(chain.get_ydata()) == LOWEST == worse.get_ydata()[0]
    figure.canvas.draw()
