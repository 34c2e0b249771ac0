"""Warnings on what headers leave out or contradict."""

from __future__ import annotations

from collections.abc import Sequence

from lensing_core.ingest.images import BandImage
from lensing_core.ingest.probing import Probe
from lensing_core.ingest.rejection import RowRejected
from lensing_core.surveys import Survey

_CONSEQUENCE = (
    "If that is wrong, all fluxes are wrong by a factor, and objects are scored as if they had "
    "another brightness: state the zero points (setting zero_points)."
)


def conflicts(images: Sequence[BandImage | RowRejected]) -> list[str]:
    """Return what headers say twice and differently."""
    return list(
        dict.fromkeys(
            f"{image.source}: {sentence}."
            for image in images
            if isinstance(image, BandImage) and image.header is not None
            for sentence in image.header.conflicts
        )
    )


def assumptions(
    found: Probe, survey: Survey, images: Sequence[BandImage | RowRejected]
) -> list[str]:
    """Return what headers do not say and the survey's definition had to fill in."""
    present = [
        (band, image)
        for band, image in zip(found.source.bands, images, strict=True)
        if isinstance(image, BandImage)
    ]
    sentences = []
    if scales := [band for band, image in present if image.pixel_scale_from == "survey"]:
        what = "Arrays have no" if found.kind == "stack" else "Headers do not give the"
        sentences.append(f"{what} pixel scale of {', '.join(scales)}; the survey's was taken.")
    sentences += _zero_points(found, survey, present)
    for band, image in zip(found.source.bands, images, strict=True):
        if isinstance(image, RowRejected):
            sentences.append(f"Band {band} is missing in the first image: {image.message}")
    if found.is_rendered:
        sentences.append("Pictures hold no fluxes: no magnitudes can be measured on them.")
    return sentences


def _zero_points(
    found: Probe, survey: Survey, present: Sequence[tuple[str, BandImage]]
) -> list[str]:
    """The zero points that are the survey's, by the reason why."""
    by_reason: dict[str, list[tuple[str, float]]] = {}
    for band, image in present:
        if image.zero_point_from == "survey":
            why = "" if image.header is None else image.header.no_zero_point
            by_reason.setdefault(why, []).append((band, image.zero_point_mag))
    sentences = []
    for why, bands in by_reason.items():
        names = ", ".join(band for band, _ in bands)
        values = ", ".join(dict.fromkeys(f"{value:.2f}" for _, value in bands))
        if why:
            lack = f"No zero point of {names} is known: {why}"
        elif found.kind == "stack":
            lack = f"Arrays have no zero point of {names}"
        else:
            lack = f"Headers do not give the zero point of {names}"
        sentences.append(f"{lack}; that of {survey.name} ({values}) was taken. {_CONSEQUENCE}")
    return sentences
