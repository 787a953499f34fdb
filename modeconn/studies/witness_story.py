"""The whole story of one witness: certificates, fleets, slice; and the files that tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeconn.cells import fraction_text
from modeconn.io import write_json, write_npz
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.witness import Witness
from modeconn.studies.witness_certificates import CertifiedWitness, certify_witness
from modeconn.studies.witness_fleet import FleetSettings, outcome_fractions, train_witness
from modeconn.studies.witness_slice import Slice, witness_slice
from modeconn.topology import point_to_json

__all__ = ["WitnessStory", "common_ends", "tell_witness"]

CERTIFICATES = "certificates"


@dataclass(frozen=True)
class WitnessStory:
    """What is known of a witness.

    Attributes:
        certified: certificates and exact numbers.
        settings: of the fleets.
        rows: a row for each run of the final fleets.
        trials: a row for each combination tried before them.
        plane: the slice.
    """

    certified: CertifiedWitness
    settings: FleetSettings
    rows: Sequence[Mapping[str, Any]]
    trials: Sequence[Mapping[str, Any]]
    plane: Slice

    @property
    def fractions(self) -> dict[str, dict[str, float]]:
        """For each optimizer the fraction of runs with each outcome."""
        return outcome_fractions(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the record that is printed and stored."""
        certified = self.certified
        return {
            "schema": "modeconn.witness/1",
            **certified.witness.to_json(),
            "inside": {norm: point_to_json(point) for norm, point in certified.inside.items()},
            "path": [point_to_json(point) for point in certified.barrier.points],
            "certificates": {
                f"{CERTIFICATES}/{file}": {"problem": f"{CERTIFICATES}/{certified.about[file]}", "says": says}
                for file, says in certified.checks.items()
            },
            "eps": fraction_text(certified.eps),
            "fleets": self.settings.to_json(),
            "fractions": self.fractions,
            "trials": [dict(trial) for trial in self.trials],
        }


def tell_witness(witness: Witness, settings: FleetSettings | None = None, reporter: Reporter = SILENT) -> WitnessStory:
    """Return the whole story of a witness: certificates first, then fleets and slice.

    Raises:
        InputError: something could not be certified.

    Reference: claim N6.
    """
    plan = settings or FleetSettings()
    certified = certify_witness(witness)
    rows, trials = train_witness(witness, plan, reporter)
    return WitnessStory(certified, plan, rows, trials, witness_slice(certified))


def common_ends(rows: Sequence[Mapping[str, Any]], shown: int = 6) -> list[dict[str, Any]]:
    """Return for each optimizer its most common final losses (to four digits), with the outcome and number of runs."""
    ends = []
    for name in dict.fromkeys(row["optimizer"] for row in rows):
        own = [row for row in rows if row["optimizer"] == name]
        keys = [(row["outcome"], None if row["loss"] is None else f"{row['loss']:.3g}") for row in own]
        small = [("predicted", "below eps") if key[0] == "predicted" else key for key in keys]
        for (outcome, loss), count in Counter(small).most_common(shown):
            ends.append({"optimizer": name, "outcome": outcome, "loss": loss, "runs": count, "of": len(own)})
    return ends


def write_story(story: WitnessStory, folder: Path) -> list[Path]:
    """Write ``witness.json``, ``slice.npz``, problems and certificates; return the files."""
    (folder / CERTIFICATES).mkdir(parents=True, exist_ok=True)
    certified = story.certified
    files = [
        write_json(folder / CERTIFICATES / file, content)
        for file, content in {**certified.problems, **certified.certificates}.items()
    ]
    files.append(write_json(folder / "witness.json", story.to_json()))
    files.append(write_npz(folder / "slice.npz", story.plane.arrays()))
    return files
