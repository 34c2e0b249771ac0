"""Which objects must stay together, and folds that keep them so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lensing_core.errors import BadInputError

Groups = NDArray[np.int64]
DUPLICATE_RADIUS_ARCSEC = 2.0
BLOCK_NSIDE = 64


def object_groups(
    n: int,
    *,
    keys: Sequence[Sequence[Any] | NDArray[Any]] = (),
    ra_deg: ArrayLike | None = None,
    dec_deg: ArrayLike | None = None,
    duplicate_radius_arcsec: float = DUPLICATE_RADIUS_ARCSEC,
    block_nside: int | None = BLOCK_NSIDE,
) -> Groups:
    """Number of the group of each object; objects of one group belong on one side of a split.

    Two objects share a group if they share a key, lie within ``duplicate_radius_arcsec``, lie in
    one HEALPix block, or are joined by a chain of such pairs (connected components).

    Parameters
    ----------
    n : int
        How many objects.
    keys : sequences of length n
        Names that objects may share: object id, cluster, parent of an augmentation. ``None``, an
        empty text and NaN are no name.
    ra_deg, dec_deg : array_like of shape (n,), optional
        J2000 degrees; NaN where unknown.
    block_nside : int, optional
        NSIDE of the sky blocks (64: 0.9 degrees); None: no blocks.

    Returns
    -------
    ndarray of shape (n,), int64
        0 to the number of groups less one.

    Raises
    ------
    BadInputError
        If lengths differ, or one coordinate comes without the other.
    """
    if (ra_deg is None) != (dec_deg is None):
        raise BadInputError("Give right ascension and declination together, or neither.")
    pairs = [_same_name(names, n, k) for k, names in enumerate(keys)]
    if ra_deg is not None and dec_deg is not None:
        ra, dec = np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64)
        if ra.shape != (n,) or dec.shape != (n,):
            raise BadInputError(f"{ra.shape} and {dec.shape} coordinates for {n} objects.")
        pairs += _near(ra, dec, duplicate_radius_arcsec, block_nside)
    first = np.concatenate([p[0] for p in pairs]) if pairs else np.empty(0, dtype=np.int64)
    second = np.concatenate([p[1] for p in pairs]) if pairs else np.empty(0, dtype=np.int64)
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _chain(member: NDArray[np.integer], rows: Groups) -> tuple[Groups, Groups]:
    """Links between consecutive rows of one member number."""
    order = np.argsort(member, kind="stable")
    same = np.diff(member[order]) == 0
    return rows[order[:-1][same]], rows[order[1:][same]]


def _same_name(names: Sequence[Any] | NDArray[Any], n: int, position: int) -> tuple[Groups, Groups]:
    if len(names) != n:
        raise BadInputError(f"Key {position} has {len(names)} names for {n} objects.")
    number: dict[Any, int] = {}
    given = [(k, v) for k, v in enumerate(names) if v is not None and v != "" and v == v]
    member = np.array([number.setdefault(v, len(number)) for _, v in given], dtype=np.int64)
    return _chain(member, np.array([k for k, _ in given], dtype=np.int64))


def _near(
    ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], radius: float, nside: int | None
) -> list[tuple[Groups, Groups]]:
    placed = np.flatnonzero(np.isfinite(ra_deg) & np.isfinite(dec_deg))
    if len(placed) < 2:
        return []
    sky = SkyCoord(ra_deg[placed] * u.deg, dec_deg[placed] * u.deg)
    one, other, _, _ = search_around_sky(sky, sky, radius * u.arcsec)
    found = [(placed[one], placed[other])]
    if nside is not None:
        block = HEALPix(nside, order="nested").lonlat_to_healpix(sky.ra, sky.dec)
        found.append(_chain(np.asarray(block), placed))
    return found


def group_folds(groups: ArrayLike, s: ArrayLike, n_folds: int, *, seed: int = 0) -> Groups:
    """Fold of each object, 0 to ``n_folds - 1``; whole groups, labeled ones dealt evenly.

    Parameters
    ----------
    groups : array_like of shape (n,)
        As of :func:`object_groups`.
    s : array_like of shape (n,), 1 labeled
        Groups that hold a labeled object are dealt apart from the others, so that every fold
        gets its share of them.

    Raises
    ------
    BadInputError
        If there are fewer groups with a labeled object than folds.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    labeled = np.zeros(len(names), dtype=bool)
    labeled[member[np.asarray(s) == 1]] = True
    if labeled.sum() < n_folds:
        raise BadInputError(
            f"{n_folds} folds need as many groups with a labeled object; there are "
            f"{int(labeled.sum())}. Label objects in more places of the sky."
        )
    rng = np.random.default_rng(seed)
    fold = np.empty(len(names), dtype=np.int64)
    for stratum in (np.flatnonzero(labeled), np.flatnonzero(~labeled)):
        size = np.bincount(member, minlength=len(names))[stratum]
        # Large groups first, then in random order: folds end up of nearly equal size.
        order = stratum[np.lexsort((rng.random(len(stratum)), -size))]
        turn = np.arange(len(order))
        there, back = turn % n_folds, n_folds - 1 - turn % n_folds
        fold[order] = np.where((turn // n_folds) % 2 == 0, there, back)
    return fold[member]
