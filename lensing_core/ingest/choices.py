"""The choices that an import offers; light to import, for settings name them too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

ImageKind = Literal["auto", "fits_hdus", "fits_cube", "fits_per_band", "mosaic", "stack", "picture"]
BandAxis = Literal["first", "last"]
MissingBands = Literal["nan", "quarantine"]
VarianceKind = Literal["variance", "rms", "inverse_variance"]
LabelPolicy = Literal["all", "positives_only", "pretraining_only"]

POSITION_UNITS = ("auto", "degrees", "hours", "radians", "sexagesimal")
POSITION_FRAMES = ("auto", "icrs", "fk5", "fk4", "galactic", "ecliptic", "supergalactic")

FORMAT_OF_SUFFIX: Mapping[str, str] = {
    ".csv": "ascii.csv",
    ".tsv": "ascii.tab",
    ".tab": "ascii.tab",
    ".txt": "ascii",
    ".dat": "ascii",
    ".cat": "ascii",
    ".asc": "ascii",
    ".psv": "ascii",
    ".ecsv": "ascii.ecsv",
    ".tbl": "ascii.ipac",
    ".mrt": "ascii.mrt",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".parquet": "parquet",
    ".pq": "parquet",
}
TABLE_FORMATS = ("auto", *dict.fromkeys(FORMAT_OF_SUFFIX.values()), "ascii.sextractor")
