"""Networks that look at cutouts, apart from how they are trained.

`NetworkSpec` describes one, `build_network` makes it: any backbone of timm or the arc-aware
transformer, with metadata conditioning and multiple-instance pooling as options. Beside them stand
what acts on batches of images on the device: the eight orientations and the augmentation.
"""

from lensing_core.models.networks.arc_aware import attention_rollout
from lensing_core.models.networks.augmentation import (
    AugmentationSpec,
    AugmentedBatch,
    augment,
    broadened_fwhm_arcsec,
)
from lensing_core.models.networks.conditioning import encode_metadata
from lensing_core.models.networks.dihedral import dihedral, dihedral_average
from lensing_core.models.networks.network import LensNetwork, build_network
from lensing_core.models.networks.output import NetworkOutput
from lensing_core.models.networks.physics import MassHead
from lensing_core.models.networks.spec import (
    ARC_AWARE,
    CATEGORICAL_METADATA,
    NUMERIC_METADATA,
    TESTED_BACKBONES,
    MetadataField,
    NetworkSpec,
    PretrainedUnavailableError,
)

__all__ = [
    "ARC_AWARE",
    "CATEGORICAL_METADATA",
    "NUMERIC_METADATA",
    "TESTED_BACKBONES",
    "AugmentationSpec",
    "AugmentedBatch",
    "LensNetwork",
    "MassHead",
    "MetadataField",
    "NetworkOutput",
    "NetworkSpec",
    "PretrainedUnavailableError",
    "attention_rollout",
    "augment",
    "broadened_fwhm_arcsec",
    "build_network",
    "dihedral",
    "dihedral_average",
    "encode_metadata",
]
