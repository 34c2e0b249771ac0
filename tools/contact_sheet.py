"""Contact sheet of the looks of the color picture: one line an object, one column a look.

    python tools/contact_sheet.py WORKSPACE sheet.png --catalog euclid-q1 --catalog sled-ps1

Beside the looks stands the sharpest band alone, so that one sees what a color picture hides. Look
at the sheet picture by picture after a change to ``lensing_core/imaging``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lensing_core.cutouts import CutoutStore
from lensing_core.errors import NotFoundError
from lensing_core.imaging import (
    PRESETS,
    catalog_noise,
    choose_rgb_bands,
    color_gains,
    looks_of,
    render_band,
    render_rgb,
)
from lensing_core.store import open_database
from lensing_core.store.catalogs import catalogs_with_candidates
from lensing_core.surveys import get_survey
from lensing_core.workspace import Workspace

_GAP, _HEAD = 4, 18


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--catalog", action="append", help="repeatable; all without")
    parser.add_argument("--objects", type=int, default=4, help="of each catalog")
    parser.add_argument("--first", type=int, default=0, help="number of the first object")
    parser.add_argument("--side", type=int, default=220, help="of a picture, px")
    parser.add_argument("--preset", default="auto", choices=["auto", *PRESETS])
    given = parser.parse_args()
    workspace = Workspace.open(given.workspace)
    names = given.catalog or open_database(workspace).ask(
        lambda session: [catalog.name for catalog in catalogs_with_candidates(session)]
    )
    lines = []
    for name in names:
        numbers = range(given.first, given.first + given.objects)
        lines += catalog_lines(workspace, name, numbers, given.side, given.preset)
    sheet(lines, given.side).save(given.out)


def catalog_lines(
    workspace: Workspace, name: str, numbers: range, side_px: int, preset: str
) -> list[list[tuple[str, Image.Image]]]:
    """Captions and pictures of objects of a catalog, one list an object."""
    store = CutoutStore(workspace.catalog_cutouts(name))
    geometry, noise = store.geometry, catalog_noise(store)
    try:
        survey = get_survey(geometry.survey, workspace)
    except NotFoundError:
        survey = None
    bands = choose_rgb_bands(geometry.bands, survey.rgb_bands if survey else None)
    gains = color_gains(geometry, survey)
    parameters = PRESETS.get(preset)
    widths = np.where(np.isfinite(geometry.psf_fwhm_arcsec), geometry.psf_fwhm_arcsec, np.inf)
    sharpest = geometry.bands[int(np.argmin(widths))]
    lines = []
    for number in (k for k in numbers if k < len(store)):
        cutout = np.array(store.read(number))
        line = [
            (
                f"{name} {number} {look} {','.join(bands)}",
                render_rgb(
                    cutout,
                    geometry,
                    noise,
                    bands=bands,
                    parameters=parameters,
                    look=look,
                    gains=gains,
                ),
            )
            for look in looks_of(geometry)
        ]
        band = render_band(cutout, geometry, noise, sharpest, parameters=parameters)
        line.append((f"{name} {number} {sharpest}", band))
        lines.append([(caption, enlarged(picture, side_px)) for caption, picture in line])
    return lines


def enlarged(picture: np.ndarray, side_px: int) -> Image.Image:
    """A picture (y, x, 4) on dark blue, so that missing data show, at a side."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    ground = Image.new("RGB", image.size, (20, 20, 60))
    ground.paste(image, mask=image.getchannel("A"))
    how = Image.Resampling.BOX if side_px < image.size[0] else Image.Resampling.NEAREST
    return ground.resize((side_px, side_px), how)


def sheet(lines: list[list[tuple[str, Image.Image]]], side_px: int) -> Image.Image:
    """All pictures with their captions."""
    wide, high = side_px + _GAP, side_px + _GAP + _HEAD
    columns = max((len(line) for line in lines), default=1)
    page = Image.new("RGB", (columns * wide + _GAP, len(lines) * high + _GAP), (70, 70, 70))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for y, line in enumerate(lines):
        for x, (caption, picture) in enumerate(line):
            place = (_GAP + x * wide, _GAP + y * high)
            draw.text(place, caption[: side_px // 6], fill=(255, 255, 255), font=font)
            page.paste(picture, (place[0], place[1] + _HEAD))
    return page


if __name__ == "__main__":
    main()
