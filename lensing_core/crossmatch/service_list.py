"""Online references; light to import, because settings list them, too."""

from __future__ import annotations

from dataclasses import dataclass

from lensing_core.crossmatch.choices import Kind

XMATCH_URL = "http://cdsxmatch.u-strasbg.fr/xmatch/api/v1/sync"
NED_URL = "http://ned.ipac.caltech.edu/cgi-bin/objsearch"
MAX_RADIUS_ARCSEC = 180.0
"""The largest radius that CDS X-Match takes."""


@dataclass(frozen=True)
class Service:
    """An online reference.

    Attributes
    ----------
    key, title : str
    kind : str
        What a match with it means.
    table : str
        Of CDS X-Match: ``simbad``, or the id of a VizieR catalog or table; '' for NED.
    note : str
        Source of the catalog.
    """

    key: str
    title: str
    kind: Kind
    table: str
    note: str = ""


SERVICES: dict[str, Service] = {
    service.key: service
    for service in (
        Service("simbad", "SIMBAD", "object", "simbad", "Wenger et al. 2000"),
        Service("ned", "NED", "object", "", "Helou et al. 1991; one position a request"),
        Service("gaia", "Gaia DR3", "star", "I/355/gaiadr3", "Gaia Collaboration 2023"),
        Service("redmapper", "redMaPPer, SDSS DR8", "cluster", "J/ApJ/785/104", "Rykoff+ 2014"),
        Service("whl", "WHL clusters, SDSS", "cluster", "J/ApJS/199/34", "Wen, Han & Liu 2012"),
        Service("psz2", "Planck PSZ2", "cluster", "J/A+A/594/A27", "Planck Collaboration 2016"),
        Service("mcxc2", "MCXC-II", "xray", "J/A+A/688/A187", "Sadibekova+ 2024"),
        Service("erass1", "eRASS1 clusters", "xray", "J/A+A/685/A106", "Bulbul+ 2024"),
        Service("sdss16", "SDSS DR16", "redshift", "V/154/sdss16", "Ahumada+ 2020"),
        Service("holismokes2", "HOLISMOKES II", "probable", "J/A+A/644/A163", "Cañameras+ 2020"),
    )
}


def vizier_service(table: str, kind: Kind) -> Service:
    """Any catalog or table of VizieR."""
    return Service(f"vizier:{table}", f"VizieR {table}", kind, table)
