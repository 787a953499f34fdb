"""The graph of the claims: depths, boxes, colours, and what the library rests on."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from modeconn.plots import to_svg
from modeconn.plots.claim_graph import VERDICT_COLOURS, claim_depths, claim_graph, direct_support, text_colour
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


def luminance(colour):
    """Relative luminance of WCAG 2.1."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("verdict", VERDICT_COLOURS)
def test_ids_can_be_read_on_their_colour(verdict):
    """Oracle: the contrast ratio of text that WCAG 2.1 asks for, 4.5, in the drawing's own colours."""
    figure = claim_graph({"N1": []}, {"N1": verdict})
    (text,) = figure.axes[0].texts
    assert text.get_color() == text_colour(VERDICT_COLOURS[verdict])
    darker, lighter = sorted((luminance(text.get_color()), luminance(VERDICT_COLOURS[verdict])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


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


def test_what_follows_is_left_out():
    """Oracle: by construction, and on the library: the transitive closure stays what it was."""
    assert direct_support({"A": [], "B": ["A"], "C": ["A", "B", "unknown"], "D": ["B", "A", "E"], "E": []}) == {
        "A": [], "B": ["A"], "C": ["B"], "D": ["B", "E"], "E": [],
    }  # fmt: skip

    def closure(graph):
        reach = {}
        for name in sorted(graph, key=claim_depths(graph).__getitem__):
            known = [other for other in graph[name] if other in graph]
            reach[name] = set(known).union(*(reach[other] for other in known))
        return reach

    library = {claim.id: claim.rests_on for claim in CLAIMS.values()}
    assert closure(direct_support(library)) == closure(library)
    assert direct_support(library)["KUD2"] == ["N2"]


LONG = {"A1": [], "A2": ["A1"], "A3": ["A2", "A9"], "A9": [], "F": ["A3", "G"], "G": []}


@pytest.mark.parametrize(
    "rests_on", [{c.id: c.rests_on for c in CLAIMS.values()}, LONG], ids=["library", "long arrows"]
)
def test_no_arrow_runs_behind_a_box(rests_on):
    """Oracle: the drawing's own rectangles against many points of the drawing's own arrows, their ends left out."""
    patches = claim_graph(rests_on, {}).axes[0].patches
    boxes = [patch for patch in patches if isinstance(patch, FancyBboxPatch)]
    arrows = [patch for patch in patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == sum(map(len, direct_support(rests_on).values()))
    for arrow in arrows:
        path = arrow._path_original  # in data coordinates
        curve = np.concatenate([bezier(np.linspace(0, 1, 200)) for bezier, _ in path.iter_bezier()])
        for box in boxes:
            x, y = box.get_x(), box.get_y()
            inside = (curve > (x + 1e-6, y)) & (curve < (x + box.get_width() - 1e-6, y + box.get_height()))
            assert not inside.all(axis=1).any()
