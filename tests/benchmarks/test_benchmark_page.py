"""The page of benchmarks: what is committed is what the records say, and a missed goal is seen."""

from __future__ import annotations

import copy
import doctest
import itertools
import json
import re
import sys

import figures
import matplotlib
import pytest
import records
import run
import table
from figures import COLOURS, draw_growth, draw_speed, series_of, slope
from matplotlib.backends.backend_agg import FigureCanvasAgg
from records import growth, record
from schema import read_document

FILES = sorted(table.RESULTS.glob("*.json"))


def test_the_committed_page_is_made_of_the_committed_records():
    """Independent run: the generator on the files gives the text; each plot carries the digest of its records.

    The bytes of a plot depend on the version of matplotlib, so they are compared where it is the one that drew them.
    """
    wanted = table.page(table.read(FILES))
    assert {path.name for path in table.RESULTS.iterdir() if path.suffix in (".md", ".svg")} == set(wanted)
    for name, text in wanted.items():
        found = (table.RESULTS / name).read_text(encoding="utf-8")
        drawn_by = re.search(r"Matplotlib v([\w.]+)", found)
        if drawn_by is None or drawn_by[1] == matplotlib.__version__:
            assert found == text, f"{name} is out of date: python benchmarks/table.py --page benchmarks/results"
        else:
            assert found.splitlines()[0] == text.splitlines()[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_committed_records_are_measurements(path):
    """By construction: of the benchmark that the file is named after, with its commit, and not of ``--quick``."""
    document = read_document(path)
    assert path.stem.endswith("-" + table.benchmark_of(document).replace("_", "-"))
    assert re.fullmatch(r"[0-9a-f]{40}", document["environment"]["commit"])
    assert not document.get("quick", False)


def test_a_missed_goal_is_shown_as_missed(document):
    """By construction: one of two goals is missed; then the same records with the goal met."""
    found = table.page({"demo": document})
    assert "**Goals: 1 met, 1 missed.**" in found["README.md"]
    assert "- missed: demo, second: 4 s, 25 % of the floor; goal: <= 3 s" in found["README.md"]
    row = next(line for line in found["README.md"].splitlines() if line.startswith("| second"))
    assert "**missed**: <= 3 s" in row
    assert COLOURS["missed"] in found["demo.svg"]
    assert "goal missed" in found["demo.svg"]
    better = copy.deepcopy(document)
    better["records"][1]["outcome"] = "met"
    found = table.page({"demo": better})
    assert "**Goals: 2 met, 0 missed.**" in found["README.md"]
    assert "missed:" not in found["README.md"]
    assert COLOURS["missed"] not in found["demo.svg"]


def test_the_page_names_machine_commit_load_and_versions(document):
    """By construction: words of the environment, and the numbers of the records."""
    page = table.markdown({"demo": document})
    for words in ("## Abacus 3000 (cpu, 2 cores)", "| demo | 0123456789ab | 0.1, 1.5 | 3.11.7 | jax 0.10.2 |"):
        assert words in page
    assert "| first | 2 s | loop: 6 s<br>other: 1 s | 3 x<br>0.5 x |  | 0 | met: <= 3 s |" in page
    document["environment"]["modified"] = True
    document["quick"] = True
    page = table.markdown({"demo": document})
    assert "0123456789ab, with changes" in page
    assert "not a measurement" in page


def test_the_same_records_give_the_same_bytes(document, tmp_path):
    """Conserved quantity: the page, drawn twice, and from files named in another order."""
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    paths = [tmp_path / "b.json", tmp_path / "a.json"]
    first, again = (table.page(table.read(order)) for order in (paths, paths[::-1]))
    assert first == again
    assert not any("<dc:date>" in text for text in first.values())


def power_law(benchmark="demo", exponent=1.5, sizes=(1, 4, 16), series="all"):
    """Records whose time is x to a power, where the theory counts x squared."""
    return [
        record(
            benchmark,
            f"{series}, {x}",
            0.1 * x**exponent,
            size={"x": x},
            gate=0.0,
            peers={"loop": 2.0 * x},
            growth=[growth(series, "x", x, 7.0 * x**2, "x^2")],
        )
        for x in sizes
    ]


def test_slopes_of_power_laws(document):
    """Closed form: times x^1.5 and counts x^2 have slopes 1.5 and 2 in any unit and order."""
    document["records"] = power_law(sizes=(16, 1, 64, 4))
    (series,) = series_of(document["records"])
    assert series.x == [1, 4, 16, 64]
    assert slope(series.x, series.seconds) == pytest.approx(1.5, abs=1e-12)
    assert slope(series.x, series.cost) == pytest.approx(2.0, abs=1e-12)
    page = table.page({"demo": document})
    assert "| x | all | 1, 4, 16, 64 | 100 ms to 51.2 s | 1.50 | 2.00 | x^2 |" in page["README.md"]
    assert "all: 1.50 (theory 2.00)" in page["demo-growth.svg"]
    assert "![growth with size, demo](demo-growth.svg)" in page["README.md"]


def test_two_sizes_are_no_study(document):
    """By construction: no slope from two points, and no plot."""
    document["records"] = power_law(sizes=(1, 4))
    assert series_of(document["records"]) == []
    assert draw_growth(document["records"]) is None
    assert "demo-growth.svg" not in table.page({"demo": document})


def boxes(figure, artists):
    """The rectangles of texts, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return [artist.get_window_extent(canvas.get_renderer()) for artist in artists]


def apart(rectangles):
    return not any(a.overlaps(b) for a, b in itertools.combinations(rectangles, 2))


@pytest.mark.parametrize("count", [1, 3, 40])
def test_labels_of_cases_do_not_overlap(count):
    """By construction: long names, speeds from 1e-3 to 1e4; all texts are apart and inside the figure."""
    rows = [
        record(
            "demo",
            f"case {k} with a name that takes some room",
            1.0,
            size={},
            gate=0.0,
            peers={"a peer whose name is long": 10 ** (7.0 * k / 40 - 3)},
            floor=10 ** (-k / 8),
            bound="bytes",
            goal="<= 2 s" if k % 3 else None,
            met=bool(k % 2) if k % 3 else None,
        )
        for k in range(count)
    ]
    figure = draw_speed(rows)
    texts = [text for ax in figure.axes for text in (*ax.texts, ax.title)]
    found = boxes(figure, [*texts, *figure.axes[0].get_yticklabels(), *figure.legends[0].get_texts()])
    assert apart(found)
    for ax in figure.axes:
        panel = ax.get_window_extent()
        assert all(box.x1 <= panel.x1 for box in boxes(figure, ax.texts))
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in found)


def test_panels_of_growth_do_not_overlap():
    """By construction: four studies, three series in one of them; legends and labels are apart."""
    rows = [row for k in range(3) for row in power_law(series=f"series {k} with a long name")]
    for over in ("n m, at d = 32", "N", "pairs"):
        for row in power_law(series=f"at {over}", sizes=(10, 100, 1000)):
            row["growth"][0]["over"] = over
            rows.append(row)
    figure = draw_growth(rows)
    panels = [ax for ax in figure.axes if ax.axison]
    assert len(panels) == 4
    legends = boxes(figure, [ax.get_legend() for ax in panels])
    axes = boxes(figure, panels)
    assert apart(legends)
    assert not any(legend.overlaps(ax) for legend in legends for ax in axes)
    assert all(apart(boxes(figure, ax.get_xticklabels())) for ax in panels)


def test_a_file_of_another_form_stops_the_page(tmp_path, document, capsys):
    """By construction: one older file among good ones; exit status 2, one line, and nothing is written."""
    (tmp_path / "good.json").write_text(json.dumps(document))
    (tmp_path / "old.json").write_text(json.dumps({"benchmark": "barrier", "rows": []}))
    files = [str(tmp_path / name) for name in ("good.json", "old.json")]
    assert table.main([*files, "--page", str(tmp_path / "page")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("old.json: expected records of the form modeconn.benchmark/1")
    assert not list((tmp_path / "page").glob("*"))
    assert table.main([files[0], "--page", str(tmp_path / "page")]) == 0
    assert (tmp_path / "page" / "README.md").exists()


@pytest.mark.parametrize("module", [figures, records, run, table])
def test_examples_of_the_scripts(module):
    """Doctests: the folder of the benchmarks is none of those that are collected."""
    assert doctest.testmod(module).failed == 0
    assert "benchmarks" in sys.modules[module.__name__].__file__
