"""The map of a stored member for one cutout of a catalog."""

from __future__ import annotations

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.models.attention.maps import AttentionMap, Method, NoAttentionError
from lensing_core.models.attention.networks import network_attention, network_methods
from lensing_core.models.deep import DeepMember
from lensing_core.models.files import StoredMember
from lensing_core.models.member import Metadata


def member_attention(
    stored: StoredMember,
    cutout: Float32Array,
    geometry: CutoutGeometry,
    catalog: str,
    metadata: Metadata | None = None,
    method: Method | None = None,
) -> AttentionMap:
    """Attention maps of a member for a cutout; one call at a time for each member.

    Parameters
    ----------
    cutout : ndarray of shape (band, y, x)
        Of ``geometry``.
    metadata : mapping of str to sequences of one value, optional
    method : optional
        One of the network's own; the first of them unless told.

    Raises
    ------
    ContractError
        If the cutout does not fit the member.
    NoAttentionError
        If the member has no such map.
    """
    member = stored.member
    if not isinstance(member, DeepMember):
        raise NoAttentionError(f"{stored.id} looks at features, not at pixels.")
    selection = member.contract.fit(geometry, catalog)
    images, columns = member.network_input(cutout[None], selection, metadata)
    member.network.eval()
    known = columns if columns.shape[1] else None
    attention = network_attention(
        member.network, images, known, dihedral_averaging=member.dihedral_averaging, method=method
    )
    return attention.placed(selection.window, geometry.size_px)


def member_methods(stored: StoredMember) -> tuple[Method, ...]:
    """The maps that a member has, the one that is shown first at the front."""
    member = stored.member
    return network_methods(member.network) if isinstance(member, DeepMember) else ()
