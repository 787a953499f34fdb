"""The graph of the claims: depths, boxes, colours, and what the library rests on."""

import pytest

from modeconn.plots import to_svg
from modeconn.plots.claim_graph import VERDICT_COLOURS, claim_depths, claim_graph
from proofs_check.claims import CLAIMS


def test_depths():
    """Oracle: by construction; a claim stands one column to the right of the deepest it rests on."""
    rests_on = {"A": ["B", "C"], "B": [], "C": ["B"], "D": ["unknown"]}
    assert claim_depths(rests_on) == {"B": 0, "C": 1, "A": 2, "D": 0}


def test_a_circle_is_refused():
    """Oracle: by construction."""
    with pytest.raises(ValueError, match="circle: A -> B -> A"):
        claim_depths({"A": ["B"], "B": ["A"]})


def test_every_claim_is_drawn_in_its_colour():
    """Oracle: by construction; the SVG's own text and colours."""
    svg = to_svg(claim_graph({"N1": [], "N2": ["N1"], "K1": ["N1"]}, {"N1": "certified", "K1": "refuted"}))
    for text in ("N1", "N2", "K1", "not on trial"):
        assert f">{text}<" in svg
    for verdict in ("certified", "refuted", "not on trial"):
        assert VERDICT_COLOURS[verdict] in svg
    assert VERDICT_COLOURS["undecided"] not in svg


def test_no_two_boxes_of_the_library_overlap():
    """Oracle: the drawing's own rectangles."""
    figure = claim_graph({claim.id: claim.rests_on for claim in CLAIMS.values()}, {})
    boxes = [(p.get_x(), p.get_y()) for p in figure.axes[0].patches if hasattr(p, "get_x")]
    assert len(boxes) == len(CLAIMS)
    assert len({(round(x, 6), round(y, 6)) for x, y in boxes}) == len(CLAIMS)


def test_the_library_rests_on_its_own_claims():
    """Oracle: the registry; no circle, no dangling id."""
    rests_on = {claim.id: claim.rests_on for claim in CLAIMS.values()}
    assert {other for ids in rests_on.values() for other in ids} <= set(CLAIMS)
    claim_depths(rests_on)
