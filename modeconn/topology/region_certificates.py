"""Certificate that a region (an optimizer's ball) contains no net of one component of a level set."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from modeconn.cells import fraction_text
from modeconn.errors import InputError
from modeconn.topology.certificates import Certificate, cutting_vectors, new_certificate, outline, vector_texts
from modeconn.topology.level_set import LevelSet
from modeconn.topology.points import point_to_json
from modeconn.topology.region import OrbitInRegion, orbits_in_region

__all__ = ["certify_region_avoids"]


def _texts(values: Sequence[Fraction]) -> list[str]:
    return [fraction_text(v) for v in values]


def certify_region_avoids(found: LevelSet, component: int, known: OrbitInRegion | None = None) -> Certificate:
    """Return a certificate that no net inside the problem's region lies in a component, or in its permutations.

    Vectors that outline the component, and for each of its cells exact dual evidence that the least loss inside the
    region is above the level.

    Args:
        found: the level set of the problem without its region.
        component: number of the component.
        known: what :func:`modeconn.topology.orbits_in_region` said about its orbit.

    Raises:
        InputError: the region meets the component, or avoiding it could not be shown.
    """
    cells, level = found.complex, found.level
    orbit = found.components[component].orbit
    verdict = known or orbits_in_region(found)[orbit]
    if verdict.verdict != "avoids":
        raise InputError(
            f"component {component}: expected one that the region avoids, found verdict {verdict.verdict!r} "
            f"(gauge {verdict.gauge:.6g}); shrink the region"
        )
    representative = found.components[component].representative
    nus = cutting_vectors(cells, outline(cells, representative, level, strict=True), level, strict=True)
    avoid = []
    for proof in verdict.evidence:
        kinds = [cells.landscape.types[t] for t in proof.cell]
        entry: dict[str, object] = {
            "cell": [[list(kind.signs), kind.face.s] for kind in kinds],
            "nu": _texts(proof.nu),
            "mu": [_texts(mu) for mu in proof.mu],
        }
        if proof.shape is not None:
            entry["lambda"] = [_texts(row) for row in proof.shape]
        avoid.append(entry)
    statement = {
        "width": cells.width,
        "level": fraction_text(level),
        "representative": point_to_json(representative),
    }
    return new_certificate("region-avoids-component", statement, {"nus": vector_texts(nus), "avoid": avoid})
