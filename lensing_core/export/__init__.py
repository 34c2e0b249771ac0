"""Candidates out of the program: tables, regions, contact sheets, FITS cutouts, subjects.

Everything streams: a writer is given an iterator of rows and holds a few of them at a time.
"""

from lensing_core.export.columns import COLUMNS, Column, ExportRow
from lensing_core.export.formats import FORMATS, Format, export_to
from lensing_core.export.text import plain_cell

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Column",
    "ExportRow",
    "Format",
    "export_to",
    "plain_cell",
]
