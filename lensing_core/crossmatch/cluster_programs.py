"""Clusters of CLASH, RELICS and the Hubble Frontier Fields, all of which have published models.

CLASH (Postman et al. 2012, ApJS 199, 25) and RELICS (Coe et al. 2019, ApJ 884, 85) as the copy of
lenscat has them, the Frontier Fields from Lotz et al. 2017, ApJ 837, 97.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import astropy.units as u
from astropy.coordinates import Angle, SkyCoord

from lensing_core.crossmatch.lenscat import CITATION, read_lenscat

FRONTIER_FIELDS = Path(__file__).parent / "data" / "frontier_fields.toml"
NEAR_ARCMIN = 3.0
"""Distance from a cluster's center within which its models usually reach."""
_BY_SOURCE = {
    "https://relics.stsci.edu/clusters.html": "RELICS",
    "https://www.stsci.edu/~postman/CLASH/index.html": "CLASH",
}
_REFERENCES = {
    "RELICS": "Coe et al. 2019, ApJ 884, 85",
    "CLASH": "Postman et al. 2012, ApJS 199, 25",
    "HFF": "Lotz et al. 2017, ApJ 837, 97",
}


@dataclass(frozen=True)
class ProgramCluster:
    """A cluster of an imaging program.

    Attributes
    ----------
    program, name : str
    ra_deg, dec_deg : float
        ICRS.
    z : str
        '' where not given.
    source : str
        Of the position.
    """

    program: str
    name: str
    ra_deg: float
    dec_deg: float
    z: str
    source: str

    @property
    def reference(self) -> str:
        """Return the paper of the program."""
        return _REFERENCES[self.program]


@cache
def program_clusters() -> tuple[ProgramCluster, ...]:
    """All clusters; one that two programs observed stands in both."""
    lenses = read_lenscat("confident")
    clusters = [
        ProgramCluster(
            _BY_SOURCE[lenses.columns["ref"][k]],
            lenses.names[k],
            float(lenses.ra_deg[k]),
            float(lenses.dec_deg[k]),
            str(lenses.row(k).get("z_lens", "")),
            f"{lenses.columns['ref'][k]} ({CITATION})",
        )
        for k in range(len(lenses))
        if lenses.columns["ref"][k] in _BY_SOURCE
    ]
    for row in tomllib.loads(FRONTIER_FIELDS.read_text("utf-8"))["cluster"]:
        ra, dec = Angle(row["ra"], unit=u.hourangle), Angle(row["dec"], unit=u.deg)
        clusters.append(
            ProgramCluster(
                "HFF", row["name"], float(ra.deg), float(dec.deg), str(row["z"]), row["source"]
            )
        )
    return tuple(clusters)


def clusters_near(
    ra_deg: float, dec_deg: float, radius_arcmin: float = NEAR_ARCMIN
) -> Sequence[tuple[ProgramCluster, float]]:
    """Clusters within a distance of a position, each with its distance in arcmin, nearest first."""
    known = program_clusters()
    places = SkyCoord([c.ra_deg for c in known], [c.dec_deg for c in known], unit="deg")
    apart = places.separation(SkyCoord(ra_deg, dec_deg, unit="deg")).arcmin
    near = [(cluster, float(d)) for cluster, d in zip(known, apart, strict=True)]
    return sorted((pair for pair in near if pair[1] <= radius_arcmin), key=lambda pair: pair[1])
