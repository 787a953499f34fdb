"""Campaigns: millions of instances, cut into shards, on whatever machines there are, with the same results."""

from modeconn.campaigns.engine import ENGINES, Engine, InThisProcess, engine_from_name
from modeconn.campaigns.family import FAMILIES, Family, Parameters, family_from_name
from modeconn.campaigns.run import CampaignRun, Worked, run_campaign, run_shard
from modeconn.campaigns.shards import Shard, ShardStore, locked, missing_shards
from modeconn.campaigns.spec import Cell, Spec, read_spec, spec_from_table
from modeconn.campaigns.summary import CellResult, Summary, summarise
from modeconn.campaigns.tally import Tally, total

__all__ = [
    "ENGINES",
    "FAMILIES",
    "CampaignRun",
    "Cell",
    "CellResult",
    "Engine",
    "Family",
    "InThisProcess",
    "Parameters",
    "Shard",
    "ShardStore",
    "Spec",
    "Summary",
    "Tally",
    "Worked",
    "engine_from_name",
    "family_from_name",
    "locked",
    "missing_shards",
    "read_spec",
    "run_campaign",
    "run_shard",
    "spec_from_table",
    "summarise",
    "total",
]
