"""Contact sheets, FITS cutouts and Zooniverse subjects: exports that need pixels."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutStore
from lensing_core.errors import NotFoundError
from lensing_core.export.columns import ExportRow, PixelFrame
from lensing_core.export.tables import Rows
from lensing_core.export.text import one_line, plain_cell, probability
from lensing_core.imaging import SkyNoise, catalog_noise, choose_rgb_bands, color_gains, render_rgb
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

if TYPE_CHECKING:
    from astropy.io import fits

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_PAGE = (1240, 1754)  # A4 at 150 dots an inch
_GRID = (6, 8)
_TILE, _MARGIN, _CAPTION = 186, 40, 24
_SUBJECT_PX = 400


@dataclass(frozen=True)
class CatalogImages:
    """An open catalog: its cutouts, its sky, and what its color pictures are made of."""

    store: CutoutStore
    noise: SkyNoise
    rgb_bands: tuple[str, ...]
    gains: tuple[float, ...] | None


class CutoutSource:
    """Cutouts and color pictures of a workspace's catalogs."""

    def __init__(self, workspace: Workspace, rgb_bands: Mapping[str, Sequence[str]]) -> None:
        """``rgb_bands``: the bands that a catalog's survey prefers, by catalog."""

        def open_catalog(name: str) -> CatalogImages:
            store = CutoutStore(workspace.catalog_cutouts(name))
            bands = choose_rgb_bands(store.geometry.bands, rgb_bands.get(name))
            try:
                survey = get_survey(store.geometry.survey, workspace)
            except NotFoundError:
                survey = None  # its definition was taken away
            gains = color_gains(store.geometry, survey)
            return CatalogImages(store, catalog_noise(store), tuple(bands), gains)

        self.catalog = lru_cache(maxsize=8)(open_catalog)

    def pixels(self, row: ExportRow) -> Float32Array:
        """The cutout, (band, y, x)."""
        return np.array(self.catalog(row.catalog).store.read(row.cutout_index))

    def picture(self, row: ExportRow, side_px: int) -> Image.Image:
        """The color picture on black, enlarged or shrunk to a side."""
        opened = self.catalog(row.catalog)
        drawn = render_rgb(
            self.pixels(row),
            opened.store.geometry,
            opened.noise,
            bands=opened.rgb_bands,
            gains=opened.gains,
        )
        image = Image.fromarray(np.ascontiguousarray(drawn))
        black = Image.new("RGB", image.size)
        black.paste(image, mask=image.getchannel("A"))
        smaller = side_px < image.size[0]
        how = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
        return black.resize((side_px, side_px), how)


def write_sheet_pdf(path: Path, rows: Rows, notes: Sequence[str], source: CutoutSource) -> int:
    """Contact sheets of 48 candidates a page; one page is in memory at a time."""
    written = 0
    for number, (page, n) in enumerate(_pages(rows, notes, source)):
        page.save(path, "PDF", resolution=150, append=number > 0)
        written += n
    return written


def write_sheet_png(path: Path, rows: Rows, notes: Sequence[str], source: CutoutSource) -> int:
    """The same as pictures, one a page, in a ZIP archive."""
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (page, n) in enumerate(_pages(rows, notes, source), start=1):
            stream = io.BytesIO()
            page.save(stream, "PNG")
            archive.writestr(f"candidates-{number:03d}.png", stream.getvalue())
            written += n
    return written


def _pages(
    rows: Rows, notes: Sequence[str], source: CutoutSource
) -> Iterator[tuple[Image.Image, int]]:
    font, small = ImageFont.load_default(15), ImageFont.load_default(13)
    iterator = iter(rows())
    columns, lines = _GRID
    while chunk := list(islice(iterator, columns * lines)):
        page = Image.new("RGB", _PAGE, "white")
        draw = ImageDraw.Draw(page)
        draw.text((_MARGIN, 20), one_line(notes[0] if notes else ""), "black", font=font)
        for k, row in enumerate(chunk):
            x = _MARGIN + (k % columns) * (_TILE + 9)
            y = 56 + (k // columns) * (_TILE + _CAPTION)
            page.paste(source.picture(row, _TILE), (x, y))
            draw.text((x, y + _TILE + 3), _caption(row, draw, small), "black", font=small)
        yield page, len(chunk)


def _caption(row: ExportRow, draw: ImageDraw.ImageDraw, font: Font) -> str:
    """Rank, name and score, the name shortened to fit below the picture."""
    before = f"{row['rank']} "
    after = "" if row["probability"] is None else f"  {probability(row.number('probability'))}"
    name = one_line(row.name).encode("latin-1", "replace").decode("latin-1")
    shown = name
    while shown and draw.textlength(before + shown + after, font=font) > _TILE:
        name = name[:-1]
        shown = name + "…" if name else ""
    return before + shown + after


def write_cutouts(path: Path, rows: Rows, notes: Sequence[str], source: CutoutSource) -> int:
    """A ZIP archive of one FITS file a candidate, each band an image extension with a WCS."""
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for row in rows():
            stream = io.BytesIO()
            cutout_fits(row, source, notes).writeto(stream)
            archive.writestr(f"{row['rank']:06d}-{_file_name(row.name)}.fits", stream.getvalue())
            written += 1
    return written


def cutout_fits(row: ExportRow, source: CutoutSource, notes: Sequence[str] = ()) -> fits.HDUList:
    """A candidate's cutout: an empty primary HDU with its numbers, an image extension a band.

    The WCS is a tangent plane on the candidate's position, turned as the image was that it came
    from. Where that is not known, ``ORIENT`` is ``assumed``: north up, east to the left.
    """
    from astropy.io import fits  # here: the formats are listed at every start

    opened = source.catalog(row.catalog)
    geometry = opened.store.geometry
    primary = fits.PrimaryHDU()
    header = primary.header
    header["OBJECT"] = (_ascii(row.name), "the catalog's name for the object")
    header["CATALOG"] = (_ascii(row.catalog), "catalog of the workspace")
    header["SURVEY"] = _ascii(geometry.survey)
    for key, name, comment in (
        ("LENSPROB", "probability", "by the ensemble; no confirmation"),
        ("RANK", "rank", "in the exported order"),
    ):
        if row[name] is not None:
            header[key] = (row[name], comment)
    for note in notes:
        header.add_comment(_ascii(note))
    hdus = fits.HDUList([primary])
    pixels = source.pixels(row)
    if geometry.pixel_kind == "rendered":
        pixels = pixels[:, ::-1]  # rows of pictures run down, those of FITS up
    for k, (band, plane) in enumerate(zip(geometry.bands, pixels, strict=True)):
        image = fits.ImageHDU(plane, name=band.upper())
        image.header["FILTER"] = band
        if geometry.pixel_kind == "flux":
            zero, psf = geometry.zero_points_mag[k], geometry.psf_fwhm_arcsec[k]
            if math.isfinite(zero):
                image.header["MAGZERO"] = (zero, "AB magnitude of one unit")
            if math.isfinite(psf):
                image.header["PSFFWHM"] = (psf, "[arcsec] typical of the catalog")
        _add_wcs(image.header, row, geometry.size_px, geometry.pixel_scale_arcsec)
        hdus.append(image)
    return hdus


def _add_wcs(header: fits.Header, row: ExportRow, size_px: int, scale_arcsec: float) -> None:
    header["PIXSCALE"] = (scale_arcsec, "[arcsec]")
    ra, dec, frame = row.number("ra"), row.number("dec"), row.frame
    if math.isnan(ra) or math.isnan(dec):
        return
    header["RADESYS"] = "ICRS"
    middle = (size_px - 1) / 2
    for axis, kind, value, place in (
        (1, "RA---TAN", ra, frame.x_px),
        (2, "DEC--TAN", dec, frame.y_px),
    ):
        header[f"CTYPE{axis}"] = kind
        header[f"CUNIT{axis}"] = "deg"
        header[f"CRPIX{axis}"] = 1 + (middle if place is None else place)
        header[f"CRVAL{axis}"] = value
    for i, row_of_matrix in enumerate(sky_matrix_arcsec(frame, scale_arcsec), start=1):
        for j, step in enumerate(row_of_matrix, start=1):
            header[f"CD{i}_{j}"] = step / 3600
    known = frame.north_deg is not None
    header["ORIENT"] = ("known" if known else "assumed", "direction of north in the pixels")


def sky_matrix_arcsec(
    frame: PixelFrame, scale_arcsec: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """East and north (rows) of a step of a pixel in x and y (columns)."""
    if frame.matrix_arcsec is not None:
        return frame.matrix_arcsec
    turn = math.radians(frame.north_deg or 0.0)
    handed = -1 if frame.is_mirrored else 1
    along, across = scale_arcsec * math.cos(turn), scale_arcsec * math.sin(turn)
    return (-handed * along, handed * across), (across, along)


def write_subjects(path: Path, rows: Rows, notes: Sequence[str], source: CutoutSource) -> int:
    """A ZIP archive for the Panoptes client of Zooniverse: ``manifest.csv`` and pictures.

    Columns whose names begin with ``#`` are kept from the volunteers: what could sway them (score,
    label, name) is there; positions are not shown either.
    """
    written = 0
    manifest = io.StringIO()
    writer = csv.writer(manifest)
    hidden = ("object_id", "catalog", "candidate", "ra", "dec", "probability", "label")
    writer.writerow(["image", *(f"#{name}" for name in hidden)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for row in rows():
            image = f"subject-{row['candidate']:08d}.png"
            stream = io.BytesIO()
            source.picture(row, _SUBJECT_PX).save(stream, "PNG")
            archive.writestr(image, stream.getvalue())
            values = [row[name] for name in hidden]
            writer.writerow([image, *(plain_cell(v) if isinstance(v, str) else v for v in values)])
            written += 1
        archive.writestr("manifest.csv", manifest.getvalue())
        archive.writestr("README.txt", "\n".join(one_line(note) for note in notes) + "\n")
    return written


def _ascii(text: str) -> str:
    return one_line(text).encode("ascii", "replace").decode("ascii")


def _file_name(name: str) -> str:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return safe.lstrip(".")[:80] or "object"
