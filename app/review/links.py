"""Links to a place on the sky on public services; nothing is sent before a person follows one."""

from __future__ import annotations

import math
from urllib.parse import urlencode

WIDER = 6.0
"""Fields of view of viewers, in sides of the cutout."""


def sky_links(ra_deg: float, dec_deg: float, size_arcsec: float) -> list[dict[str, str]]:
    """Name and address of each service, for ICRS degrees and the side of a cutout in arcsec."""
    fov_deg = WIDER * size_arcsec / 3600
    place = f"{ra_deg:.6f} {dec_deg:+.6f}"
    # The Legacy Surveys viewer has 0.262″ pixels at zoom 15, half as large at each further level.
    zoom = max(10, min(16, 15 - round(math.log2(max(0.1, fov_deg * 3600 / (0.262 * 800))))))
    position = {"ra": f"{ra_deg:.6f}", "dec": f"{dec_deg:.6f}"}
    around_arcmin = f"{max(0.2, size_arcsec / 120):.2f}"
    addresses: list[tuple[str, str, dict[str, str | int]]] = [
        (
            "Legacy Surveys",
            "https://www.legacysurvey.org/viewer",
            {**position, "layer": "ls-dr10", "zoom": zoom, "mark": f"{ra_deg:.6f},{dec_deg:.6f}"},
        ),
        (
            "Aladin Lite",
            "https://aladin.cds.unistra.fr/AladinLite/",
            {"target": place, "fov": f"{fov_deg:.4f}"},
        ),
        (
            "ESASky",
            "https://sky.esa.int/esasky/",
            {"target": place, "fov": f"{fov_deg:.4f}", "cooframe": "J2000"},
        ),
        (
            "SIMBAD",
            "https://simbad.cds.unistra.fr/simbad/sim-coo",
            {"Coord": f"{place} d", "Radius": around_arcmin, "Radius.unit": "arcmin"},
        ),
        (
            "NED",
            "https://ned.ipac.caltech.edu/conesearch",
            {
                "search_type": "Near Position Search",
                "coordinates": f"{ra_deg:.6f}d {dec_deg:+.6f}d",
                "radius": around_arcmin,
                "in_csys": "Equatorial",
                "in_equinox": "J2000",
            },
        ),
    ]
    return [{"name": name, "href": f"{base}?{urlencode(query)}"} for name, base, query in addresses]
