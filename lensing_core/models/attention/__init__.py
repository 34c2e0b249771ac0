"""Attention maps of members, in the pixels of a cutout.

Integrated gradients or Grad-CAM for convolutional networks, attention rollout for transformers, the
weights of patches for multiple-instance pooling. Trees have no map:
:mod:`lensing_core.models.explaining` is for them.
"""

from lensing_core.models.attention.explain import member_attention, member_methods
from lensing_core.models.attention.maps import (
    IN_LOG_ODDS,
    AttentionMap,
    Method,
    NoAttentionError,
    overlay,
    scale_colors,
)
from lensing_core.models.attention.networks import network_attention, network_methods

__all__ = [
    "IN_LOG_ODDS",
    "AttentionMap",
    "Method",
    "NoAttentionError",
    "member_attention",
    "member_methods",
    "network_attention",
    "network_methods",
    "overlay",
    "scale_colors",
]
