"""Which HDU holds which band, its noise and its PSF, by EXTNAME."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.rejection import RowRejected

_FLUX = ("FLUX", "BGSUB", "SCI", "IMAGE", "IMG", "DATA", "PRIMARY")
_NOISE: dict[str, VarianceKind] = {
    **dict.fromkeys(("RMS", "ERR", "ERROR", "SIGMA", "NOISE", "NOISE_MAP"), "rms"),
    **dict.fromkeys(("VAR", "VARIANCE"), "variance"),
    **dict.fromkeys(("IVAR", "INVVAR", "WHT", "WEIGHT"), "inverse_variance"),
}
_PSF = ("PSF",)
_OTHER = ("MASK", "DQ", "FLAG", "FLAGS", "BITMASK", "CTX", "CON", "BKG", "BACKGROUND")


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


def _split(index: int, name: str) -> _Name:
    """Split ``HSC_G_RMS`` into the stem ``HSC_G`` and what the HDU holds."""
    for suffixes, role in (
        (_NOISE, None),
        (_PSF, "psf"),
        (_OTHER, "other"),
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
    names: tuple[tuple[int, str], ...], keys: tuple[str, ...]
) -> tuple[BandHdus | RowRejected, ...]:
    """Find each band's HDUs by name or number.

    Parameters
    ----------
    names : tuple of (int, str)
        Number and EXTNAME of every HDU with an image.
    keys : tuple of str
        What the file calls each band: an EXTNAME, its part before ``_FLUX`` and the like, its last
        part (``Y`` for ``NIR_Y_FLUX``), or an HDU number.
    """
    parts = [_split(index, name) for index, name in names]
    return tuple(_find(parts, key) for key in keys)


def flux_hdus(names: Sequence[tuple[int, str]]) -> list[int]:
    """Numbers of the HDUs that hold fluxes, as far as names tell."""
    return [p.index for p in (_split(*name) for name in names) if p.role == "flux"]


def match_by_order(
    names: tuple[tuple[int, str], ...], n_bands: int
) -> tuple[BandHdus | RowRejected, ...]:
    """The flux HDUs in their order as the bands; raises wrong_band_count unless numbers agree."""
    parts = [_split(index, name) for index, name in names]
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
    own = [p for p in parts if p.stem == flux.stem or (alone and not p.stem)]
    noise = [p for p in own if p.role in ("rms", "variance", "inverse_variance")]
    psf = [p for p in own if p.role == "psf"]
    kind: VarianceKind = noise[0].role if noise else "variance"  # type: ignore[assignment]  # above
    return BandHdus(
        flux=flux.index,
        noise=noise[0].index if noise else None,
        noise_kind=kind,
        psf=psf[0].index if psf else None,
    )
