"""The eight turns and mirrorings of a square, exact on pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from lensing_core.errors import BadInputError
from lensing_core.models.networks.network import LensNetwork
from lensing_core.models.networks.output import NetworkOutput

N_VIEWS = 8


def dihedral(images: Tensor, codes: Tensor) -> Tensor:
    """Each image in one of its eight orientations, without interpolation.

    Parameters
    ----------
    images : Tensor of shape (n, band, y, x)
        Square.
    codes : Tensor of int of shape (n,)
        0 to 7: bit 0 mirrors x, bit 1 mirrors y, then bit 2 swaps x and y. 0 changes nothing.

    Returns
    -------
    Tensor of shape (n, band, y, x)
    """
    if images.shape[-1] != images.shape[-2]:
        raise BadInputError(
            f"Images of {images.shape[-2]} x {images.shape[-1]} px cannot be turned by 90°:"
            " use squares."
        )
    bit = codes.reshape(-1, *[1] * (images.dim() - 1))
    images = torch.where((bit & 1).bool(), images.flip(-1), images)
    images = torch.where((bit & 2).bool(), images.flip(-2), images)
    return torch.where((bit & 4).bool(), images.transpose(-1, -2), images)


def dihedral_average(
    network: LensNetwork, images: Tensor, metadata: Tensor | None = None, *, at_once: int = 2048
) -> NetworkOutput:
    """Mean logit and mean embedding over the eight orientations.

    The result does not depend on how an image is turned or mirrored. Call it in evaluation mode and
    without gradients.

    Parameters
    ----------
    network : LensNetwork
    images : Tensor of shape (n, band, y, x)
    metadata : Tensor of shape (n, m), optional
    at_once : int
        Images that pass through the network together.
    """
    views_at_once = max(1, min(N_VIEWS, at_once // max(1, len(images))))
    logit = torch.zeros((), device=images.device)
    embedding = torch.zeros((), device=images.device)
    for first in range(0, N_VIEWS, views_at_once):
        codes = range(first, min(first + views_at_once, N_VIEWS))
        number = len(codes)
        batch = torch.cat(
            [dihedral(images, torch.full((len(images),), c, device=images.device)) for c in codes]
        )
        repeated = None if metadata is None else metadata.repeat(number, 1)
        output = network(batch, repeated)
        logit = logit + output.logit.unflatten(0, (number, -1)).sum(0)
        embedding = embedding + output.embedding.float().unflatten(0, (number, -1)).sum(0)
    return NetworkOutput(logit / N_VIEWS, embedding / N_VIEWS)
