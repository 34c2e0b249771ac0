"""Preview of an import: columns and their roles, bands, the first object, warnings."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import panel as pn

from lens_triage.app.catalogs.fetching import FETCH_CSS
from lens_triage.app.catalogs.recognized import Offers, Recognized
from lens_triage.app.catalogs.zero_points import ZeroPointQuestion, assumed_zero_points
from lens_triage.app.theme import PICTURE_CSS
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    html,
    section,
    stack,
)
from lens_triage.app.widgets.table import (
    Row,
    Table,
    column,
)
from lens_triage.training.jobs.ingest import (
    BandPreview,
    ColumnPreview,
    ImportPreview,
)
from lensing_core.cutouts import CutoutGeometry
from lensing_core.imaging import choose_rgb_bands, encode, render_band, render_rgb, sky_noise
from lensing_core.ingest.columns import ROLES

_BANDED_ROLES = ("mag", "flux", "file")
_PICTURES_CSS = (
    PICTURE_CSS
    + """
.pictures { display: flex; flex-wrap: wrap; gap: 10px; }
figure { margin: 0; }
img { display: block; width: 104px; height: 104px; border-radius: 6px;
  image-rendering: pixelated; }
figcaption { font-size: 11.5px; color: var(--lt-muted); margin-top: 2px; text-align: center; }
p { margin: 0 0 8px; line-height: 1.5; }
ul { margin: 0; padding-left: 18px; color: var(--lt-warning); line-height: 1.5;
  overflow-wrap: anywhere; }
"""
)


class PreviewPane(pn.viewable.Viewer):
    """Shows a preview, in which columns are given other roles and zero points are stated.

    Parameters
    ----------
    on_role : callable
        Called with a column and its role.
    on_zero_points : callable
        Called with the zero points stated, by band.
    on_change : callable
        Called with a setting that was recognized and its value, to be changed.
    on_take : callable
        Called with the settings that state what was unclear.
    """

    def __init__(
        self,
        on_role: Callable[[str, str], None],
        on_zero_points: Callable[[dict[str, str]], None],
        on_change: Callable[[str, Any], None],
        on_take: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.recognized, self.offers = Recognized(on_change), Offers(on_take)
        self._error = Notice()
        self._warnings = html("", css=_PICTURES_CSS, visible=False)
        self._pictures = html("", css=_PICTURES_CSS)
        self.bands = Table(
            columns=[
                column("band", "Band", width="64px"),
                column("source", "Image"),
                column("shape", "Pixels", align="right", width="84px"),
                column("scale", "Scale (″/px)", align="right", width="86px"),
                column("zero", "Zero point", align="right", width="82px", help_text="AB mag"),
                column("more", "With", width="86px"),
            ],
            label="Bands",
        )
        self.columns = Table(
            columns=[
                column("name", "Column", width="24%"),
                column("role", "Role", width="24%"),
                column("unit", "Unit", width="64px"),
                column("examples", "First values"),
            ],
            label="Columns",
        )
        self.columns.on_choice(lambda name, _, role: on_role(name, role))
        self.zero_points = ZeroPointQuestion(on_zero_points)
        self._image_part = section("First object", self._pictures, self.bands, self.zero_points)
        self._table_part = section("Columns", self.columns)
        self._fetching = html("", css=FETCH_CSS)
        self._fetch_part = section("What is fetched", self._fetching)
        self._view = stack(
            self._error,
            self.offers,
            self._warnings,
            self.recognized,
            self._fetch_part,
            self._image_part,
            self._table_part,
            visible=False,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def display(self, preview: ImportPreview, fetching: str = "") -> None:
        """Show a preview; what could not be read is told above what could be.

        Parameters
        ----------
        fetching : str
            What images would be fetched, as HTML.
        """
        self._fetching.object = fetching
        self._fetch_part.visible = bool(fetching)
        self._error.clear()
        if preview.error:
            self._error.say(preview.error)
        items = "".join(f"<li>{escape(text)}</li>" for text in told_warnings(preview))
        self._warnings.object = f"<ul>{items}</ul>" if items else ""
        self._warnings.visible = bool(items)
        self._pictures.object = facts_html(preview) + pictures_html(preview)
        self.recognized.display(preview.guesses)
        self.offers.display(preview.offers)
        self.bands.update([band_row(band) for band in preview.bands])
        self.zero_points.ask(assumed_zero_points(preview.bands))
        self.columns.update(column_rows(preview))
        self._image_part.visible = bool(preview.bands)
        self._table_part.visible = bool(preview.columns)
        self._view.visible = True


def told_warnings(preview: ImportPreview) -> list[str]:
    """Warnings without those on recognized settings, which are shown beside the settings."""
    recognized = tuple(guess.sentence for guess in preview.guesses if guess.is_doubtful)
    return [text for text in preview.warnings if not (recognized and text.startswith(recognized))]


def facts_html(preview: ImportPreview) -> str:
    """One sentence on what was found."""
    if preview.geometry is None:
        return ""
    side, scale = preview.geometry["size_px"], preview.geometry["pixel_scale_arcsec"]
    units = " and ".join(dict.fromkeys(filter(None, preview.position_units)))
    positions = f" Positions in {units}." if units else ""
    return (
        f"<p>{fmt.plural(preview.n_rows, 'row')}; survey {escape(preview.survey)}; images read as "
        f"{escape(preview.image_kind.replace('_', ' '))}; cutouts of {side} px, "
        f"{fmt.number(side * scale)}″ at {fmt.number(scale)}″ per pixel.{escape(positions)}</p>"
    )


def geometry_of(stored: Mapping[str, Any]) -> CutoutGeometry:
    """The geometry from its JSON."""
    fields = {name: value for name, value in stored.items() if name != "format"}
    for name in ("zero_points_mag", "psf_fwhm_arcsec"):
        fields[name] = tuple(float("nan") if value is None else value for value in fields[name])
    return CutoutGeometry(**{**fields, "bands": tuple(fields["bands"])})


def pictures_html(preview: ImportPreview) -> str:
    """The first object in color and band by band, as it would be stored."""
    if preview.geometry is None or preview.cutout is None:
        return ""
    geometry, cutout = geometry_of(preview.geometry), preview.cutout
    noise = sky_noise(cutout)
    bands = choose_rgb_bands(geometry.bands, None)
    pictures = [("color", render_rgb(cutout, geometry, noise, bands=bands))]
    pictures += [(band, render_band(cutout, geometry, noise, band)) for band in geometry.bands]
    parts = []
    for caption, picture in pictures:
        data = base64.b64encode(encode(picture, "webp", 208)).decode()
        parts.append(
            f'<figure><img alt="{escape(caption)}" src="data:image/webp;base64,{data}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    return f'<div class="pictures">{"".join(parts)}</div>'


def band_row(band: BandPreview) -> Row:
    """A band of the first object, or why it is missing."""
    if band.problem:
        return {
            "key": band.name,
            "band": band.name,
            "source": {"text": band.problem, "tone": "warning"},
        }
    extras = [
        name for name, there in (("noise", band.has_variance), ("PSF", band.has_psf)) if there
    ]
    return {
        "key": band.name,
        "band": band.name,
        "source": {"text": band.source.rsplit("/", 1)[-1], "title": band.source},
        "shape": " × ".join(map(str, reversed(band.shape))),
        "scale": {
            "text": fmt.number(band.pixel_scale_arcsec),
            "title": f"From {band.pixel_scale_from}" if band.pixel_scale_from else "Unknown",
        },
        "zero": {
            "text": fmt.number(band.zero_point_mag, digits=4),
            "title": f"From {band.zero_point_from}" if band.zero_point_from else "Unknown",
        },
        "more": ", ".join(extras) or fmt.MISSING,
    }


def column_rows(preview: ImportPreview) -> list[Row]:
    """The table's columns; the role of each can be chosen."""
    bands = [band.name for band in preview.bands]
    roles = ["", *ROLES, *(f"{what}:{band}" for what in _BANDED_ROLES for band in bands)]
    return [_column_row(item, roles) for item in preview.columns]


def _column_row(item: ColumnPreview, roles: list[str]) -> Row:
    options = roles if item.role in roles else [*roles, item.role]
    return {
        "key": item.name,
        "name": item.name,
        "role": {
            "options": options,
            "value": item.role,
            "none": "property",
            "label": f"Role of {item.name}",
        },
        "unit": item.unit or fmt.MISSING,
        "examples": " · ".join(fmt.quantity(value) for value in item.examples),
    }


def remap(
    stated: Mapping[str, str], preview: ImportPreview, name: str, role: str
) -> dict[str, str]:
    """The column mapping once column ``name`` has been given ``role`` ('' for none).

    A role that the column played by itself is switched off, since a name that is recognized would
    otherwise take it again.
    """
    played = next((item.role for item in preview.columns if item.name == name), "")
    mapping = {key: value for key, value in stated.items() if value != name}
    for old in filter(None, played.split(", ")):
        if old != role and mapping.get(old, "") == "":
            mapping[old] = ""
    if role:
        mapping[role] = name
    return mapping
