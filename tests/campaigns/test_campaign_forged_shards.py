"""A shard file whose name, range and checksum agree, but whose range holds nothing: not counted."""

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
