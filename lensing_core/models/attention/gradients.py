"""Integrated gradients: what the light of each place adds to the logit over an empty sky."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients
from scipy.ndimage import gaussian_filter
from torch import Tensor

from lensing_core.models.attention.maps import AttentionMap
from lensing_core.models.networks import LensNetwork

STEPS = 8
SMOOTHING_PX = 1.5
"""Standard deviation: gradients of single pixels alternate in sign."""
EXACT = 0.1
"""Error of the integral, relative to what it should add up to, from which sums are "about"."""
_FWHM_OF_SIGMA = 2.355


def integrated_gradients(
    network: LensNetwork, images: Tensor, metadata: Tensor | None
) -> AttentionMap:
    """The map of one image, in log-odds a pixel (Sundararajan et al. 2017, arXiv:1703.01365).

    (x − x₀) · ∫ ∂ logit / ∂x (x₀ + α (x − x₀)) dα with the empty sky for x₀, by Gauss and
    Legendre's rule, summed over the bands and smoothed. The pixels add up to the logit less that
    of an empty sky, to the error of the integral. Metadata stay as they are.
    """
    known = torch.nan_to_num(images)

    def forward(batch: Tensor) -> Tensor:
        rows = None if metadata is None else metadata.expand(len(batch), -1)
        return network(batch, rows).logit

    with torch.enable_grad():
        parts = IntegratedGradients(forward).attribute(known, n_steps=STEPS)
    values = parts.detach()[0].sum(dim=0).double().cpu().numpy()
    with torch.no_grad():
        logit, empty = forward(torch.cat([known, torch.zeros_like(known)])).tolist()
    gap = abs(float(values.sum()) - (logit - empty))
    values = gaussian_filter(values, SMOOTHING_PX, mode="constant")
    return AttentionMap(
        "integrated_gradients",
        values.astype(np.float32),
        _FWHM_OF_SIGMA * SMOOTHING_PX,
        float(np.maximum(values, 0).sum()),
        logit,
        exact=gap < EXACT * max(1.0, abs(logit - empty)),
        empty=empty,
    )
