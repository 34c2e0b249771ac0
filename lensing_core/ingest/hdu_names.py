"""Roles of HDUs (band, noise, PSF) by EXTNAME, else by HDUCLAS2 and HDUCLAS3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.rejection import RowRejected

_FLUX = ("FLUX", "BGSUB", "SCI", "SCIENCE", "IMAGE", "IMG", "DATA", "COADD", "PRIMARY")
_NOISE: dict[str, VarianceKind] = {
    **dict.fromkeys(
        ("RMS", "ERR", "ERROR", "SIGMA", "STDDEV", "UNCERT", "NOISE", "NOISE_MAP"), "rms"
    ),
    **dict.fromkeys(("VAR", "VARIANCE"), "variance"),
    **dict.fromkeys(("IVAR", "INVVAR", "WHT", "WEIGHT"), "inverse_variance"),
}
_PSF = ("PSF",)
_OTHER = (
    *("MASK", "DQ", "FLAG", "FLAGS", "BITMASK", "CTX", "CON", "BKG", "BACKGROUND", "SKY", "AREA"),
    *("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "SEG", "SEGM", "SEGMAP", "EXP", "EXPMAP", "NEXP"),
    *("NIMAGE", "MODEL", "RESIDUAL", "QUALITY", "COVERAGE"),
)
# HDUCLAS1 = 'IMAGE' with these, as the FITS standard for pixel quality and error arrays of ESO and
# OGIP has them (Kümmel et al. 2012, ESO Science Data Products Standard).
_CLASSES = {
    "DATA": "flux",
    "QUALITY": "other",
    "ERROR": "rms",
    "MSE": "variance",
    "RMSE": "rms",
    "INVMSE": "inverse_variance",
}


class HduName(NamedTuple):
    """Identity of an image within a file: number, EXTNAME, and role where HDUCLAS2 gives one."""

    number: int
    name: str
    role: str = ""


def role_of_class(second: str, third: str) -> str:
    """The role that HDUCLAS2 and HDUCLAS3 name; empty where they name none."""
    third = third.strip().upper()
    if second.strip().upper() == "ERROR" and third:
        return _CLASSES.get(third, "other")  # the inverse of an RMS and what else there may be
    return _CLASSES.get(second.strip().upper(), "") if second.strip() else ""


@dataclass(frozen=True)
class BandHdus:
    """Numbers of the HDUs of one band; None where there is none."""

    flux: int
    noise: int | None = None
    noise_kind: VarianceKind = "variance"
    psf: int | None = None


@dataclass(frozen=True)
class _Name:
    index: int
    full: str
    stem: str
    role: str  # 'flux', 'psf', 'other' or a VarianceKind


def _split(index: int, name: str, stated: str = "") -> _Name:
    """Split ``HSC_G_RMS`` into the stem ``HSC_G`` and what the HDU holds."""
    part = _split_name(index, name)
    return replace(part, role=stated) if stated else part


def _split_name(index: int, name: str) -> _Name:
    for suffixes, role in (
        (_OTHER, "other"),
        (_NOISE, None),
        (_PSF, "psf"),
        (_FLUX, "flux"),
    ):
        for suffix in suffixes:
            upper = name.upper()
            if upper == suffix or upper.endswith(f"_{suffix}"):
                stem = name[: -len(suffix)].rstrip("_")
                return _Name(index, name, stem, role or _NOISE[suffix])
    return _Name(index, name, name, "flux")


@lru_cache(maxsize=1024)
def find_bands(
    names: tuple[HduName, ...], keys: tuple[str, ...]
) -> tuple[BandHdus | RowRejected, ...]:
    """Find each band's HDUs by name or number.

    Parameters
    ----------
    names : tuple of HduName
        Of every HDU with an image.
    keys : tuple of str
        What the file calls each band: an EXTNAME, its part before ``_FLUX`` and the like, its last
        part (``Y`` for ``NIR_Y_FLUX``), or an HDU number.
    """
    parts = [_split(*name) for name in names]
    return tuple(_find(parts, key) for key in keys)


def flux_hdus(names: Sequence[HduName]) -> list[int]:
    """Numbers of the HDUs that hold fluxes, as far as names tell."""
    return [p.index for p in (_split(*name) for name in names) if p.role == "flux"]


def only_band(names: Sequence[HduName]) -> BandHdus:
    """The HDUs of a file of one band: the first that holds fluxes by its name, else the first."""
    parts = [_split(*name) for name in names]
    flux = next((p for p in parts if p.role == "flux"), parts[0])
    return _with_companions(parts, flux)


def noise_hdu(names: Sequence[HduName]) -> tuple[int, VarianceKind] | None:
    """The first HDU that holds a noise map by its name, and of which kind."""
    for part in (_split(*name) for name in names):
        if part.role in ("rms", "variance", "inverse_variance"):
            return part.index, part.role  # type: ignore[return-value]  # one of the three
    return None


def psf_hdu(names: Sequence[HduName]) -> int | None:
    """The first HDU that holds a PSF by its name."""
    return next((p.index for p in (_split(*name) for name in names) if p.role == "psf"), None)


def match_by_order(names: tuple[HduName, ...], n_bands: int) -> tuple[BandHdus | RowRejected, ...]:
    """The flux HDUs in their order as the bands; raises wrong_band_count unless numbers agree."""
    parts = [_split(*name) for name in names]
    flux = [p for p in parts if p.role == "flux"]
    if len(flux) != n_bands:
        raise RowRejected(
            "wrong_band_count", f"{len(flux)} image HDUs were found for {n_bands} bands."
        )
    return tuple(_with_companions(parts, p) for p in flux)


def _find(parts: Sequence[_Name], key: str) -> BandHdus | RowRejected:
    flux = [p for p in parts if p.role == "flux"]
    tests: tuple[Callable[[_Name], bool], ...] = (
        lambda p: p.full == key or p.stem == key,
        lambda p: key.casefold() in (p.full.casefold(), p.stem.casefold()),
        lambda p: p.stem.casefold().endswith(f"_{key.casefold()}"),
    )
    if key.isdecimal():
        tests = (lambda p: p.index == int(key),)
        flux = list(parts)
    for test in tests:
        found = [p for p in flux if test(p)]
        if len(found) == 1:
            return _with_companions(parts, found[0])
        if found:
            names = ", ".join(p.full for p in found)
            return RowRejected(
                "missing_band", f"Several HDUs match band {key!r} ({names}); give the full name."
            )
    names = ", ".join(f"{p.index}: {p.full or 'no name'}" for p in parts)
    return RowRejected("missing_band", f"No HDU holds band {key!r}; the file has {names}.")


def _with_companions(parts: Sequence[_Name], flux: _Name) -> BandHdus:
    alone = sum(p.role == "flux" for p in parts) == 1
    own = [p for p in parts if p.stem == flux.stem or alone]
    noise = [p for p in own if p.role in ("rms", "variance", "inverse_variance")]
    psf = [p for p in own if p.role == "psf"]
    kind: VarianceKind = noise[0].role if noise else "variance"  # type: ignore[assignment]  # above
    return BandHdus(
        flux=flux.index,
        noise=noise[0].index if noise else None,
        noise_kind=kind,
        psf=psf[0].index if psf else None,
    )
