"""Pretrained encoders: networks that turn cutouts into embeddings without being trained here.

`weights.py` finds and maps their weights, `picture.py` makes three-channel pictures of any number
of bands, `spec.py` describes an encoder as plain JSON, `member.py` is the member of an ensemble.
"""

from lensing_core.models.encoders.member import EncoderMember, make_encoder
from lensing_core.models.encoders.picture import PictureMapping
from lensing_core.models.encoders.spec import EncoderSpec, default_crops
from lensing_core.models.encoders.weights import PACKAGED, load_weights, timm_name

__all__ = [
    "PACKAGED",
    "EncoderMember",
    "EncoderSpec",
    "PictureMapping",
    "default_crops",
    "load_weights",
    "make_encoder",
    "timm_name",
]
