"""Weak-strong consistency on unlabeled cutouts, as an addition to the loss of fine-tuning.

After FixMatch (Sohn et al. 2020), as AnomalyMatch has it for rare objects in images of the sky:
what a network is sure of on a turned cutout it must say of the same cutout shifted, noisier and
blurred, too. Colors are never changed, since they tell lenses from others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lens_triage.training.jobs.train.batches import Batch
from lens_triage.training.jobs.train.module import LensModule
from lensing_core.models.networks import AugmentationSpec, augment

_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Consistency:
    """Weight of the consistency term, and its threshold.

    Attributes
    ----------
    weight : float
        Of the term in the loss; 0: left out.
    confidence : float
        Probability, for either class and at a class prior of 1/2, from which the network's opinion
        of a turned cutout is taken for a label.
    shift_px, noise, blur_px : float
        Largest change of the strong view: pixels, units of the noise of the image, FWHM in pixels.
    """

    weight: float
    confidence: float = 0.95
    shift_px: float = 2.0
    noise: float = 1.0
    blur_px: float = 1.5


class ConsistentModule(LensModule):
    """A training step with the term of consistency on the objects that are no labeled lenses."""

    def __init__(self, *args: Any, consistency: Consistency, **options: Any) -> None:
        super().__init__(*args, **options)
        self.consistency = consistency
        self._strong = AugmentationSpec(
            size_px=self.turns.size_px,
            dihedral=True,
            max_shift_px=consistency.shift_px,
            max_noise=consistency.noise,
            max_extra_psf_fwhm_px=consistency.blur_px,
        )

    def training_step(self, batch: Batch, index: int) -> Tensor:
        loss = super().training_step(batch, index)
        unlabeled = batch.labels == 0
        if int(unlabeled.sum()) < 2:  # BatchNorm cannot train on one image
            return loss
        flux, metadata = batch.flux[unlabeled], batch.metadata[unlabeled]
        generator = torch.Generator(device=flux.device).manual_seed(torch.initial_seed() + 1)
        with torch.no_grad():
            weak = augment(flux, AugmentationSpec(self.turns.size_px), generator).images
            opinion = self._output(weak, metadata).logit.float().sigmoid()
        strong = strong_view(flux, self._strong, generator)
        logit = self._output(strong, metadata).logit.float()
        term, sure = consistency_loss(opinion, logit, self.consistency.confidence)
        self._log("train_consistency", term, batch)
        self._log("train_share_sure", sure, batch)
        return loss + self.consistency.weight * term


def strong_view(flux: Tensor, spec: AugmentationSpec, generator: torch.Generator) -> Tensor:
    """Return cutouts turned, shifted, blurred and with noise added; no band apart from another.

    Parameters
    ----------
    flux : Tensor of shape (n, band, y, x)
        Borders are mirrored, so that a shift makes up no empty pixels.
    """
    margin = (spec.input_size_px - flux.shape[-1] + 1) // 2
    wide = functional.pad(flux, (margin,) * 4, mode="reflect") if margin > 0 else flux
    return augment(wide, spec, generator, noise_variance(wide)).images


def noise_variance(flux: Tensor) -> Tensor:
    """Return the variance of the noise of each image and band, as a map of the shape of ``flux``.

    By the median of second differences along rows, which smooth light leaves alone (as DER_SNR of
    Stoehr et al. 2008 does for spectra); noise that is correlated between pixels is taken for less
    than it is.
    """
    curved = (2 * flux[..., 1:-1] - flux[..., :-2] - flux[..., 2:]).flatten(2)
    sigma = _MAD_TO_SIGMA * curved.abs().nanmedian(dim=2).values / 6**0.5
    variance = sigma.square().nan_to_num(nan=0.0)
    return variance[:, :, None, None].expand_as(flux)


def consistency_loss(opinion: Tensor, logit: Tensor, confidence: float) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of strong views with sure opinions on weak ones, and their share.

    Parameters
    ----------
    opinion : Tensor of shape (n,)
        Probabilities by the weak views, without gradient.
    logit : Tensor of shape (n,)
        By the strong views.
    """
    sure = (opinion >= confidence) | (opinion <= 1 - confidence)
    each = functional.binary_cross_entropy_with_logits(
        logit, (opinion >= 0.5).to(logit.dtype), reduction="none"
    )
    return (each * sure).mean(), sure.float().mean()
