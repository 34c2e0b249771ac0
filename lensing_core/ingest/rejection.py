"""Reasons why rows cannot be ingested: one code for counting, one sentence for the user."""

from __future__ import annotations

from lensing_core.errors import LensTriageError

REASONS = {
    "missing_file": "the image file does not exist",
    "not_fetched": "a cutout service gave no image for the position",
    "unreadable_file": "the image file is truncated, corrupt or not what its name says",
    "unsupported_format": "the image is of a kind that cannot be read as fluxes or as a picture",
    "missing_band": "a wanted band is not in the file",
    "wrong_band_count": "the file has another number of bands than wanted",
    "wrong_shape": "the image is not two-dimensional, too small or does not fit its other parts",
    "all_nan": "no pixel of the cutout has data",
    "bad_coordinates": "the position is incomplete, unreadable or out of range",
    "missing_id": "the row has no usable object id",
    "duplicate_id": "an earlier row has the same object id",
    "outside_mosaic": "the position lies outside the mosaic",
    "outside_folder": "the name leads to a file outside the images folder",
    "not_a_file": "the name is that of a folder, a device, a pipe or a socket",
    "too_large": "the file declares or needs more than the limits of the import allow",
    "timed_out": "reading the file took longer than the limit of the import",
    "crashed_reader": "reading the file ended the process that read it",
    "bad_calibration": "the pixel scale or zero point in the header cannot be true",
    "turned_bands": "the images of the bands are turned or mirrored against each other",
}


class RowRejected(LensTriageError):
    """A row that goes to quarantine.

    Parameters
    ----------
    reason : str
        A key of :data:`REASONS`.
    message : str
        One sentence: the file or field, what was found, what to do.
    source : str, optional
        The file concerned.
    """

    def __init__(self, reason: str, message: str, source: str | None = None) -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}")
        super().__init__(reason, message, source)
        self.reason, self.message, self.source = reason, message, source

    def __str__(self) -> str:
        return self.message
