"""Images of real galaxies that are lensed in place of simulated sources.

A set is a file of NumPy arrays (``.npz``): ``images`` (n, channel, y, x), ``pixel_scale_arcsec``
and ``wavelengths_nm`` (channel,). Two come with the program, see ``data/SOURCES.md``; a folder of
FITS images is read as one, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import sep
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError

BUNDLED_FOLDER = Path(__file__).parent / "data"
BUNDLED = ("cosmos_f814w", "hubble_deep_field")
ARRAYS = ("images", "pixel_scale_arcsec", "wavelengths_nm")
EDGE_SIGMA = 3.0
"""Isophote that ends a galaxy, in units of the noise of an empty pixel after the blur."""


@dataclass(frozen=True)
class SourceSet:
    """Galaxies on one pixel grid, without sky and neighbors.

    Attributes
    ----------
    images : ndarray of shape (n, channel, y, x)
        Light of each channel, on a scale of its own; what is no galaxy is 0.
    pixel_scale_arcsec : float
    wavelengths_nm : tuple of float
        Of the channels; one channel gives shapes without colors.
    """

    images: Float32Array
    pixel_scale_arcsec: float
    wavelengths_nm: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or not len(self.images):
            raise BadInputError(
                f"Sources of shape {self.images.shape}: give (n, channel, y, x) with n at least 1."
            )
        if self.images.shape[1] != len(self.wavelengths_nm):
            raise BadInputError(
                f"Sources have {self.images.shape[1]} channels and {len(self.wavelengths_nm)} "
                "wavelengths; give one wavelength a channel."
            )
        if not self.pixel_scale_arcsec > 0:
            raise BadInputError(
                f"Pixel scale of sources: {self.pixel_scale_arcsec}; give arcsec above 0."
            )

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def half_light_radius_arcsec(self) -> Float64Array:
        """Radius around the center of light that holds half of it, all channels together, (n,)."""
        return np.array([_half_light_radius(image.sum(axis=0)) for image in self.images]) * (
            self.pixel_scale_arcsec
        )

    def write(self, path: Path) -> None:
        """Write as ``.npz``, images in half precision."""
        brightest = self.images.max(axis=(1, 2, 3), keepdims=True)
        np.savez_compressed(
            path,
            images=(self.images / brightest).astype(np.float16),
            pixel_scale_arcsec=np.float64(self.pixel_scale_arcsec),
            wavelengths_nm=np.array(self.wavelengths_nm),
        )

    @classmethod
    def read(cls, path: Path) -> SourceSet:
        """Read what :meth:`write` wrote; raises BadInputError where the file is another one."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                missing = [name for name in ARRAYS if name not in stored.files]
                if missing:
                    raise BadInputError(
                        f"{path} has no array {', '.join(missing)}; sources need "
                        f"{', '.join(ARRAYS)}."
                    )
                images = stored["images"].astype(np.float32)
                scale, wavelengths = stored["pixel_scale_arcsec"], stored["wavelengths_nm"]
        except (OSError, ValueError) as error:
            raise BadInputError(f"{path} cannot be read as sources: {error}.") from error
        return cls(images, float(scale), tuple(float(w) for w in np.atleast_1d(wavelengths)))


@cache
def bundled_sources(name: str) -> SourceSet:
    """One of :data:`BUNDLED`; raises BadInputError for another name."""
    if name not in BUNDLED:
        raise BadInputError(f"Sources {name!r}: bundled are {', '.join(BUNDLED)}.")
    return SourceSet.read(BUNDLED_FOLDER / f"{name}.npz")


def read_sources(path: Path) -> SourceSet:
    """Sources of a user: an ``.npz`` of this form, or a folder of FITS images, one galaxy each.

    FITS images are (y, x) or (channel, y, x), of one shape, with a WCS or CDELT that gives the
    pixel scale; of several channels ``WAVELEN1``, ``WAVELEN2``, … give the wavelengths in nm. Each
    is cut free of sky and neighbors by :func:`isolate`.

    Raises
    ------
    BadInputError
        Naming the file, what was found and what to do.
    """
    if path.is_file():
        return SourceSet.read(path)
    if not path.is_dir():
        raise BadInputError(f"Sources {path}: there is no such file or folder.")
    files = sorted([*path.glob("*.fits"), *path.glob("*.fits.gz"), *path.glob("*.fit")])
    if not files:
        raise BadInputError(f"Folder {path} holds no FITS images of sources (*.fits).")
    read = [_read_fits(file) for file in files]
    first = read[0]
    for file, other in zip(files, read, strict=True):
        if other[0].shape != first[0].shape or not np.isclose(other[1], first[1], rtol=0.01):
            raise BadInputError(
                f"{file}: {other[0].shape} pixels of {other[1]:.4f} arcsec, and {files[0].name} "
                f"has {first[0].shape} of {first[1]:.4f}; bring sources to one grid."
            )
    side = max(first[0].shape[1:])
    images = [isolate(image, least_snr=10.0, side_px=side) for image, _, _ in read]
    kept = [image for image in images if image is not None]
    if not kept:
        raise BadInputError(
            f"Folder {path}: none of {len(files)} images shows a galaxy at its center that stands "
            "alone and above the noise (S/N 10 in its brightest pixel)."
        )
    return SourceSet(np.stack(kept), first[1], first[2])


def _read_fits(path: Path) -> tuple[Float32Array, float, tuple[float, ...]]:
    """Pixels (channel, y, x), their scale and the channels' wavelengths."""
    try:
        with fits.open(path, memmap=False) as hdus:
            hdu = next((h for h in hdus if h.is_image and h.data is not None), None)
            if hdu is None:
                raise BadInputError(f"{path} holds no image.")
            data, header = np.asarray(hdu.data, dtype=np.float32), hdu.header
    except OSError as error:
        raise BadInputError(f"{path} cannot be read as FITS: {error}.") from error
    if data.ndim not in (2, 3):
        raise BadInputError(
            f"{path}: an image of {data.ndim} axes; give (y, x) or (channel, y, x)."
        )
    data = data[None] if data.ndim == 2 else data
    wcs = WCS(header, naxis=2)
    scale = float(np.mean(proj_plane_pixel_scales(wcs))) * 3600
    if not 1e-4 < scale < 10:
        raise BadInputError(
            f"{path}: its header gives no pixel scale (found {scale:.3g} arcsec); add a WCS or "
            "CDELT1 and CDELT2 in degrees."
        )
    names = [f"WAVELEN{k + 1}" for k in range(len(data))]
    if len(data) > 1 and any(name not in header for name in names):
        raise BadInputError(f"{path}: {len(data)} channels need {', '.join(names)} in nm.")
    wavelengths = tuple(float(header.get(name, 800.0)) for name in names)
    return data, scale, wavelengths


def isolate(
    cutout: Float32Array, *, least_snr: float, side_px: int, blur_px: float = 1.0
) -> Float32Array | None:
    """The galaxy at the center of a cutout, cut free; None where there is none fit to be lensed.

    Left out are galaxies whose brightest pixel lies below ``least_snr`` after the blur, that are
    cut by an edge, or off the center by more than an eighth of the cutout. Beyond the isophote of
    :data:`EDGE_SIGMA` light fades to 0, so that no noise and no edge is lensed.

    Parameters
    ----------
    cutout : ndarray of shape (channel, y, x)
    side_px : int
        Of the square that is returned, around the center of light.
    blur_px : float
        σ of a Gaussian blur that lowers the noise, well below the PSF of the survey to be painted.
    """
    if not np.isfinite(cutout).all():
        return None
    blurred = gaussian_filter(cutout.astype(np.float32), (0, blur_px, blur_px))
    edge = np.concatenate([blurred[:, 0], blurred[:, -1], blurred[..., 0], blurred[..., -1]], 1)
    sky = np.median(edge, axis=1)[:, None, None]
    sigma = 1.4826 * np.median(np.abs(edge - sky[:, 0]), axis=1)[:, None, None]
    if not (sigma > 0).all():
        return None
    total = np.ascontiguousarray(((blurred - sky) / sigma).sum(axis=0) / np.sqrt(len(sigma)))
    objects, segments = sep.extract(
        total, EDGE_SIGMA, minarea=12, segmentation_map=True, deblend_cont=0.02, filter_kernel=None
    )
    if not len(objects):
        return None
    middle = np.array(total.shape)[::-1] / 2 - 0.5
    offset = np.hypot(objects["x"] - middle[0], objects["y"] - middle[1])
    k = int(np.argmin(offset))
    mine = segments == k + 1
    on_edge = mine[0].any() or mine[-1].any() or mine[:, 0].any() or mine[:, -1].any()
    if offset[k] > len(total) / 8 or on_edge or total[mine].max() < least_snr:
        return None
    fading = gaussian_filter(mine.astype(np.float32), 2 * blur_px)
    weight = np.where((segments > 0) & ~mine, 0, np.maximum(mine, fading))
    cut = np.clip((blurred - sky) * np.where(weight > 0.05, weight, 0), 0, None)
    image = _centered(
        cut.astype(np.float32), float(objects["x"][k]), float(objects["y"][k]), side_px
    )
    return image if (image.sum(axis=(1, 2)) > 0).all() else None


def _centered(image: Float32Array, x: float, y: float, side_px: int) -> Float32Array:
    """``side_px`` pixels around the pixel nearest to (x, y); 0 where the image ends."""
    padded = np.pad(image, ((0, 0), (side_px, side_px), (side_px, side_px)))
    left, top = (round(v) + side_px - side_px // 2 for v in (x, y))
    return padded[:, top : top + side_px, left : left + side_px]


def _half_light_radius(image: NDArray[np.floating]) -> float:
    """Radius in pixels, around the center of light."""
    rows, columns = np.indices(image.shape)
    weight = image / image.sum()
    distance = np.hypot(columns - (columns * weight).sum(), rows - (rows * weight).sum()).ravel()
    order = np.argsort(distance)
    sorted_weight = weight.ravel()[order]
    inside = np.cumsum(sorted_weight) - sorted_weight / 2
    return max(0.5, float(np.interp(0.5, inside, distance[order])))
