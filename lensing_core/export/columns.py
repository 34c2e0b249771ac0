"""The columns of an exported table, with units and UCDs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "float"]
Value = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
    kind : {'text', 'integer', 'float'}
    description : str
    unit : str
        As the VO writes it; '' for none.
    ucd : str
        Unified content descriptor (UCD1+); '' where the vocabulary has no word.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    ucd: str = ""


COLUMNS: tuple[Column, ...] = (
    Column("rank", "integer", "place in the exported order, from 1", ucd="meta.number"),
    Column("candidate", "integer", "number of the candidate in its workspace", ucd="meta.record"),
    Column("catalog", "text", "catalog of the workspace", ucd="meta.dataset"),
    Column("object_id", "text", "the catalog's name for the object", ucd="meta.id;meta.main"),
    Column("ra", "float", "right ascension, ICRS", "deg", "pos.eq.ra;meta.main"),
    Column("dec", "float", "declination, ICRS", "deg", "pos.eq.dec;meta.main"),
    Column(
        "probability",
        "float",
        "calibrated probability of a lens by the ensemble; a score, not a confirmation",
        ucd="stat.probability",
    ),
    Column("logit", "float", "fused, calibrated logit", ucd="stat.value"),
    Column("epistemic", "float", "mutual information of the members, nat", ucd="stat.error"),
    Column("aleatoric", "float", "mean entropy of the members, nat", ucd="stat.error"),
    Column("disagreement", "float", "standard deviation of member logits", ucd="stat.stdev"),
    Column("ood_distance", "float", "Mahalanobis distance from training data", ucd="stat.value"),
    Column("magnitude", "float", "AB, of the reference band", "mag", "phot.mag"),
    Column("z_spec", "float", "spectroscopic redshift", ucd="src.redshift"),
    Column("z_phot", "float", "photometric redshift", ucd="src.redshift.phot"),
    Column("z_err", "float", "error of the redshift", ucd="stat.error;src.redshift"),
    Column(
        "theta_e_proxy",
        "float",
        "Einstein radius that the catalog's columns suggest, to about 30 %",
        "arcsec",
        "phys.angSize",
    ),
    Column("arc_radius", "float", "of the arc from the center", "arcsec", "pos.angDistance"),
    Column("arc_length", "float", "length of the arc", "arcsec", "phys.angSize"),
    Column("stage", "text", "stage of the candidate", ucd="meta.code.status"),
    Column("label", "text", "label as imported: lens, not_lens or empty", ucd="meta.code.class"),
    Column("tags", "text", "tags, joined by commas", ucd="meta.note"),
    Column("n_grades", "integer", "people who have graded it", ucd="meta.number"),
    Column("n_lens", "integer", "of whom said lens", ucd="meta.number"),
    Column("consensus", "float", "probability of a lens, given the grades", ucd="stat.probability"),
    Column("consensus_state", "text", "open, accepted or retired", ucd="meta.code.status"),
    Column(
        "lens_test",
        "text",
        "newest quick lens test, indicative: supports, no_lens, unclear, failed or empty",
        ucd="meta.code.class",
    ),
    Column(
        "lens_test_theta_e",
        "float",
        "Einstein radius of that test, indicative",
        "arcsec",
        "phys.angSize",
    ),
    Column(
        "lens_test_theta_e_err",
        "float",
        "error of that radius",
        "arcsec",
        "stat.error;phys.angSize",
    ),
    Column("lens_test_chi2", "float", "reduced chi-squared of that test", ucd="stat.fit.chi2"),
    Column(
        "lens_test_chi2_no_lens",
        "float",
        "the same of the galaxy without a lens",
        ucd="stat.fit.chi2",
    ),
    Column("lens_test_version", "text", "version of that test's method", ucd="meta.version"),
)


@dataclass(frozen=True)
class PixelFrame:
    """Sky coordinates of a cutout's pixels.

    Attributes
    ----------
    x_px, y_px : float or None
        Where the candidate's position is, from 0; None: the middle.
    north_deg : float or None
        Direction of north from the y axis towards the x axis; None: not known.
    is_mirrored : bool
        East is not to the left where north is up.
    matrix_arcsec : ((float, float), (float, float)) or None
        East and north (rows) of a step of a pixel in x and y (columns) at the position; None: by
        ``north_deg``, for catalogs of older versions.
    """

    x_px: float | None = None
    y_px: float | None = None
    north_deg: float | None = None
    is_mirrored: bool = False
    matrix_arcsec: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True)
class ExportRow:
    """One candidate.

    Attributes
    ----------
    values : dict
        By column name; None where unknown.
    catalog, cutout_index
        Where its pixels lie.
    frame : PixelFrame
    """

    values: Mapping[str, Value]
    catalog: str = ""
    cutout_index: int = 0
    frame: PixelFrame = PixelFrame()

    def __getitem__(self, name: str) -> Value:
        return self.values.get(name)

    def number(self, name: str) -> float:
        """The value as a float; NaN where unknown."""
        value = self.values.get(name)
        return float("nan") if value is None or isinstance(value, str) else float(value)

    @property
    def name(self) -> str:
        """The object's id."""
        return str(self.values.get("object_id") or "")
