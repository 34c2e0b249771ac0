"""The first object that makes a cutout: what a plan shows, and takes the grid from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lensing_core.errors import BadInputError, traceback_in
from lensing_core.ingest.decoding import assemble
from lensing_core.ingest.grid_choice import grid_of
from lensing_core.ingest.guard import guarded, load_row
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.pixel_buffers import Grid, PixelBuffer, Pixels
from lensing_core.ingest.probing import Probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.surveys import Survey


@dataclass(frozen=True)
class Sample:
    """The row that the plan was made from.

    Attributes
    ----------
    object_id : str
    images : list
        Its bands as they were read; a missing one as the reason.
    pixels : Pixels
        Its cutout, as it would be stored.
    """

    object_id: str
    images: list[BandImage | RowRejected]
    pixels: Pixels


def first_object(
    request: ImportRequest, survey: Survey, found: Probe, rows: Sequence[RowRequest]
) -> tuple[RowRequest, Grid, Sample]:
    """The first row that makes a cutout, with as many bands as possible.

    What is wrong with a row before it is told when that row is imported, as of any other.
    """
    best: tuple[RowRequest, Grid, Sample] | None = None
    problem: RowRejected | None = None
    most = 0
    for row in rows:
        try:
            images = list(load_row(found.source, row))
            with guarded(row.file or row.object_id):
                grid = grid_of(request, survey, found, images)
                pixels = PixelBuffer.of(grid, len(images), 1).open()
                facts = assemble(images, grid, pixels, 0)
        except RowRejected as error:
            problem = problem or error
            continue
        n_bands = sum(facts.band_flags)
        if n_bands > most:
            best, most = (row, grid, Sample(row.object_id, images, pixels)), n_bands
        if n_bands == len(images):
            break
    if best is None:
        failure = BadInputError(f"None of the first {len(rows)} images can be used: {problem}")
        if details := traceback_in(problem):
            failure.add_note(details)
        raise failure
    return best
