"""The map of a stored member for one cutout of a catalog."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.attention.maps import AttentionMap, NoAttentionError
from lensing_core.models.attention.networks import network_attention
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import StoredMember
from lensing_core.models.member import Metadata


def member_attention(
    stored: StoredMember,
    cutout: NDArray[np.float32],
    geometry: CutoutGeometry,
    catalog: str,
    metadata: Metadata | None = None,
) -> AttentionMap:
    """Where a member looks in a cutout; one call at a time for each member.

    Parameters
    ----------
    cutout : ndarray of shape (band, y, x)
        Of ``geometry``.
    metadata : mapping of str to sequences of one value, optional

    Raises
    ------
    ContractError
        If the cutout does not fit the member.
    NoAttentionError
        If the member has no map.
    """
    member = stored.member
    if not isinstance(member, DeepMember):
        raise NoAttentionError(f"{stored.id} looks at features, not at pixels.")
    selection = member.contract.fit(geometry, catalog)
    images, columns = member.network_input(cutout[None], selection, metadata)
    member.network.eval()
    found = network_attention(
        member.network, images, columns if columns.shape[1] else None, turned=member.turned
    )
    return found.placed(selection.window, geometry.size_px)
