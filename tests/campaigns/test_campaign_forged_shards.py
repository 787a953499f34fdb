"""Shard files that are sound by themselves and yet may not be counted: an empty range, overlapping ranges."""

import json

from modeconn.campaigns import InThisProcess, run_campaign, spec_from_table

BALLS = {"family": "ball-contraction", "instances": 1024 * 2, "rows": 1, "columns": 2, "steps": 2}
SPEC = spec_from_table({"job": [BALLS]}, "balls")


def test_an_empty_range_counts_nothing(tmp_path):
    """Conserved quantity: the summary; instances of a range without any would be counted twice."""
    whole = run_campaign(SPEC, tmp_path, InThisProcess, shard=1024).summary
    first = sorted(tmp_path.glob("shards/*/*.json"))[0]
    record = json.loads(first.read_text())
    for start, stop in ((1024, 1024), (2048, 1024)):
        forged = first.with_name(f"{start:012d}-{stop:012d}.json")
        forged.write_text(json.dumps({**record, "start": start, "stop": stop}))
    run = run_campaign(SPEC, tmp_path, InThisProcess, resume=True)
    assert run.summary == whole
    assert run.instances == 0
    assert len(run.damaged) == 2


def test_overlapping_ranges_count_once(tmp_path):
    """Conserved quantity: the summary, in a folder that holds sound files of two runs with other shard sizes."""
    whole = run_campaign(SPEC, tmp_path / "small", InThisProcess, shard=1024).summary
    run_campaign(SPEC, tmp_path / "large", InThisProcess, shard=2048)
    (large,) = tmp_path.glob("large/shards/*/*.json")
    large.rename(tmp_path / "small" / large.relative_to(tmp_path / "large"))
    run = run_campaign(SPEC, tmp_path / "small", InThisProcess, resume=True)
    assert run.summary == whole
    assert (run.instances, len(run.damaged)) == (0, 1)
