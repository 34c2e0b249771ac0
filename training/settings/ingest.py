"""Settings of imports: a table and its images."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, get_args
from urllib.parse import urlsplit

import param

from lens_triage.training.settings.base import RunSettings
from lensing_core.errors import BadInputError, about, of_setting
from lensing_core.fetching.services import (
    CUTOUT_SERVICES,
    DEFAULT_ARCSEC,
    LEAST_PAUSE_S,
    PAUSE_S,
    TIMEOUT_S,
    Order,
    is_here,
    make_order,
)
from lensing_core.ingest.choices import (
    POSITION_FRAMES,
    POSITION_UNITS,
    TABLE_FORMATS,
    ImageKind,
    MissingBands,
    VarianceKind,
)
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.provenance import POLICIES, check_policy
from lensing_core.named_sets.choices import LISTS, PRESETS
from lensing_core.workspace import check_slug

FETCHING = (
    *("images_from", "fetch_layer", "fetch_size_arcsec", "fetch_pause_s", "fetch_timeout_s"),
    "fetch_address",
)
_OF_FILES = (
    *("images", "image_kind", "pattern", "band_keys", "dataset", "size_px", "pixel_scales"),
    *("variance_pattern", "psf_pattern"),
)


class IngestSettings(RunSettings):
    """Bring a table and its images into the workspace."""

    kind = "ingest"
    files: ClassVar = ("table", "images", "more_roots")
    units: ClassVar = {
        "frame_crop_px": "px",
        "size_px": "px",
        "fetch_size_arcsec": "arcsec",
        "fetch_pause_s": "s",
        "fetch_timeout_s": "s",
        "pixel_scale_arcsec": "arcsec/px",
        "pixel_scales": "arcsec/px",
        "grid_scale_arcsec": "arcsec/px",
        "zero_points": "AB mag",
        "image_mpx": "Mpx",
        "expanded_mb": "MiB",
        "memory_gb": "GiB",
        "file_seconds": "s",
        "table_seconds": "s",
    }
    titles: ClassVar = {
        "preset": "Published data set",
        "fetch_layer": "Layer or HiPS",
        "fetch_size_arcsec": "Side of the images",
        "fetch_pause_s": "Pause between requests",
        "fetch_timeout_s": "Longest wait for a reply",
        "fetch_address": "Address of the service",
    }
    groups: ClassVar = {
        "Catalog": ("catalog", "preset", "survey", "scale", "origin"),
        "Table": (
            *("table", "table_format", "table_part", "columns", "position_unit"),
            "position_frame",
        ),
        "Positions only": FETCHING,
        "Images": (
            *("images", "image_kind", "pattern", "bands", "band_keys", "band_axis", "dataset"),
            *("frame_crop_px", "missing_bands"),
        ),
        "Grid and calibration": (
            *("size_px", "pixel_scale_arcsec", "pixel_scales", "grid_scale_arcsec", "zero_points"),
        ),
        "Noise and PSF": ("variance_pattern", "variance_kind", "psf_pattern"),
        "Labels": (
            *("label_source", "label_confidence", "label_policy", "all_are", "lens_from"),
            *("nonlens_below",),
        ),
        "Files that may be read": (
            *("more_roots", "image_mpx", "expanded_mb", "memory_gb", "file_seconds"),
            "table_seconds",
        ),
        "Running": ("workers",),
    }

    catalog = param.String(default="", doc="Name of the catalog to make or to continue.")
    preset: param.Selector[str] = param.Selector(
        default="",
        objects=["", *PRESETS],
        doc="Published data set whose table and images these are: columns, labels and what they "
        "may be used for are known. Empty: none.",
    )
    survey = param.String(
        default="",
        doc="Survey that the images are from; empty: as headers, names or bands say.",
    )
    scale: param.Selector[str] = param.Selector(
        default="galaxy", objects=["galaxy", "cluster"], doc="Scale of the lenses looked for."
    )
    origin: param.Selector[str] = param.Selector(
        default="observed", objects=["observed", "simulated"], doc="Where the pixels are from."
    )

    table = param.String(
        default="",
        doc="CSV, FITS, VOTable, ECSV, Parquet, IPAC, CDS or whitespace-separated file with one "
        "row an object; empty: one object for each image file.",
    )
    table_format: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(TABLE_FORMATS),
        doc="Format of the table; auto: by its content.",
    )
    table_part = param.String(
        default="",
        doc="Which table, in a FITS file or VOTable with several: its number or name; empty: the "
        "one with the objects, where that is clear.",
    )
    columns = param.Dict(
        default={},
        doc="Columns whose names are not recognized, as ROLE=COLUMN: id, ra, dec, label, file, "
        "magnitude, z_phot, z_spec, richness, ..., mag:BAND, flux:BAND, file:BAND.",
    )
    position_unit: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(POSITION_UNITS),
        doc="Unit of the position columns; auto: as the table says, else degrees, or sexagesimal "
        "where all cells hold such text.",
    )
    position_frame: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(POSITION_FRAMES),
        doc="Frame of the positions, which are kept in ICRS; auto: as the table says, else ICRS.",
    )

    images_from: param.Selector[str] = param.Selector(
        default="",
        objects=["", *CUTOUT_SERVICES],
        doc="Service that cuts the images out, for a table of positions alone; empty: images are "
        "files.",
    )
    fetch_layer = param.String(
        default="",
        doc="HiPS (hips2fits), layer (legacy) or survey (skyview), with {band} where its name has "
        "the band; empty: the service's first choice.",
    )
    fetch_size_arcsec = param.Number(
        default=0.0,
        bounds=(0, 600),
        doc="Side of the images that are fetched; 0: 12 for lenses of galaxies, 100 of clusters. "
        "Their pixel scale is the service's, or the one stated (pixel_scale_arcsec).",
    )
    fetch_pause_s = param.Number(
        default=PAUSE_S,
        bounds=(0, 60),
        doc=f"Least time between two requests; at least {LEAST_PAUSE_S:g} for services elsewhere.",
    )
    fetch_timeout_s = param.Number(
        default=TIMEOUT_S, bounds=(0.1, 600), doc="Most time that a reply may take."
    )
    fetch_address = param.String(
        default="",
        doc="Another address of the service, such as a mirror: https, or http on this machine.",
    )

    images = param.String(
        default="",
        doc="Folder of the image files, or one file with all of them; empty: the table's folder.",
    )
    image_kind: param.Selector[str] = param.Selector(
        default="auto",
        objects=list(get_args(ImageKind)),
        doc="How images are stored; auto: by looking at the first.",
    )
    pattern = param.String(
        default="",
        doc="File names below the images folder, with columns in braces, such as "
        "{id}/{id}_{band}.fits; empty: as the table names them, else as the names themselves say.",
    )
    bands = param.List(
        default=[], item_type=str, doc="Bands in their order; empty: those of the survey found."
    )
    band_keys = param.Dict(
        default={},
        doc="What files call a band, as BAND=KEY: an HDU's name or number, a plane's number, or "
        "what {band} stands for in file names.",
    )
    band_axis: param.Selector[str] = param.Selector(
        default="auto",
        objects=["auto", "first", "last"],
        doc="Band axis of cubes and stacks, in numpy's order; auto: by its length.",
    )
    dataset = param.String(
        default="", doc="Array within an .npz or HDF5 file; empty: the only one with images."
    )
    frame_crop_px = param.Integer(
        default=0, bounds=(0, 1000), doc="Frame to cut off each side of a picture."
    )
    missing_bands: param.Selector[str] = param.Selector(
        default="nan",
        objects=list(get_args(MissingBands)),
        doc="An object without some band: fill the band with NaN, or quarantine the object.",
    )

    size_px = param.Integer(
        default=0,
        bounds=(0, 4096),
        doc="Side of the cutouts; images are cropped or padded to it; 0: as the first image.",
    )
    pixel_scale_arcsec = param.Number(
        default=0.0, bounds=(0, 10), doc="Pixel scale of the images; 0: as headers say."
    )
    pixel_scales = param.Dict(
        default={}, doc="Pixel scales that differ between bands, as BAND=SCALE."
    )
    grid_scale_arcsec = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Pixel scale of the cutouts; bands of another are regridded with flux conserved; 0: "
        "the finest of the bands.",
    )
    zero_points = param.Dict(
        default={}, doc="Zero points where headers are silent or wrong, as BAND=MAGNITUDE."
    )

    variance_pattern = param.String(
        default="", doc="File names of noise maps, as in the file-name pattern; empty: none."
    )
    variance_kind: param.Selector[str] = param.Selector(
        default="rms", objects=list(get_args(VarianceKind)), doc="What those noise maps hold."
    )
    psf_pattern = param.String(
        default="", doc="File names of PSFs, as in the file-name pattern; empty: none."
    )

    label_source = param.String(
        default="",
        doc="Where labels come from: obs:NAME, sim:NAME, weak:NAME, pretrain:NAME or human:NAME.",
    )
    label_confidence = param.Number(
        default=None,
        bounds=(0, 1),
        allow_None=True,
        doc="Probability c that a label is right: it weighs 2c - 1 in training, and does not count "
        "below 0.5; not given: below one half for weak labels, else 1.",
    )
    label_policy: param.Selector[str] = param.Selector(
        default="auto",
        objects=["auto", *POLICIES],
        doc="What labels may be used for; auto: pretraining only for weak and pretrain sources, "
        "else all.",
    )
    all_are: param.Selector[str] = param.Selector(
        default="as the table says",
        objects=["as the table says", "lens", "not a lens"],
        doc="One label for every object.",
    )
    lens_from = param.Number(
        default=None,
        allow_None=True,
        doc="The label column holds grades: this grade or more is a lens.",
    )
    nonlens_below = param.Number(
        default=None,
        allow_None=True,
        doc="The label column holds grades: less than this is not a lens.",
    )

    more_roots = param.List(
        default=[],
        item_type=str,
        doc="Folders besides the images folder that its names and links may lead to; what leads "
        "elsewhere is quarantined.",
    )
    image_mpx = param.Number(
        default=64.0,
        bounds=(0.01, 10_000),
        doc="Most pixels, in millions, of an image that is read whole; a larger one is "
        "quarantined. Mosaics are not read whole.",
    )
    expanded_mb = param.Integer(
        default=2048,
        bounds=(1, 1_000_000),
        doc="Most MiB that a compressed file may expand to.",
    )
    memory_gb = param.Number(
        default=4.0,
        bounds=(0.5, 10_000),
        doc="Most GiB of memory that a process may take that reads the table or images.",
    )
    file_seconds = param.Number(
        default=30.0,
        bounds=(0.1, 86_400),
        doc="Most seconds for the images of one object; a slower file is quarantined.",
    )
    table_seconds = param.Number(
        default=600.0, bounds=(1, 86_400), doc="Most seconds for reading the table."
    )

    workers = param.Integer(
        default=0, bounds=(0, 1024), doc="Processes that decode images; 0: one a core."
    )

    def title(self) -> str:
        return f"Import {self.catalog}"

    def check(self) -> None:
        """Check what can be seen without opening a file; paths are made absolute.

        A run that is resumed from another folder then finds its files.
        """
        with about("catalog"):
            check_slug(self.catalog, what="Catalog")
        if self.images_from:
            self._check_fetching()
        elif not self.table and not self.images:
            raise of_setting(
                BadInputError("Name a table, or a folder of images, or both."), "table"
            )
        for name in ("table", "images"):
            value = getattr(self, name)
            if value:
                path = Path(value).expanduser().absolute()
                if not path.exists():
                    missing = BadInputError(f"{name.capitalize()} {path} does not exist.")
                    raise of_setting(missing, name)
                setattr(self, name, str(path))
        if self.label_policy != "auto":
            with about("label_policy"):
                check_policy(self.label_source, self.label_policy)
        with about("lens_from"):
            self.labels()

    def order(self) -> Order:
        """Return what is asked of the service that images are fetched from."""
        return make_order(
            CUTOUT_SERVICES[self.images_from],
            address=self.fetch_address,
            layer=self.fetch_layer.strip(),
            bands=tuple(self.bands),
            size_arcsec=self.fetch_size_arcsec or DEFAULT_ARCSEC[self.scale],
            scale_arcsec=self.pixel_scale_arcsec,
        )

    def _check_fetching(self) -> None:
        order = self.order()
        if self.preset and self.preset not in LISTS:
            raise BadInputError(
                f"Preset {self.preset} has images of its own; leave images_from empty."
            )
        if not self.table and self.preset != "lenscat":
            raise BadInputError("Name the table of the positions that images are fetched for.")
        own = [name for name in _OF_FILES if getattr(self, name) != self.param[name].default]
        if own:
            raise BadInputError(
                f"Images are fetched from {order.service.title}; leave {', '.join(own)} as it is, "
                "or leave images_from empty and read your own files."
            )
        if order.layer != order.service.layer and not self.survey:
            raise BadInputError(
                f"State the survey that {order.layer} shows (survey): its bands and PSF are needed."
            )
        here = is_here(urlsplit(order.address).hostname or "")
        if self.fetch_pause_s < LEAST_PAUSE_S and not here:
            raise BadInputError(
                f"fetch_pause_s = {self.fetch_pause_s:g}: leave at least {LEAST_PAUSE_S:g} s "
                "between two requests; the service is shared by all astronomers."
            )

    def labels(self) -> LabelRule:
        """Return how labels are read."""
        constant = {"lens": 1, "not a lens": 0}.get(self.all_are)
        return LabelRule(constant, self.lens_from, self.nonlens_below)
