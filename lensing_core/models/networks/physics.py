"""An auxiliary task for simulated lenses: the mass that bends the light.

Beside the logit, a head predicts the Einstein radius and the lensing potential ψ on a coarse grid
from the embedding. The Poisson equation ∇²ψ = 2κ ties the potential to the convergence κ that the
simulation knows. The task shapes the embedding in training; a stored model has no trace of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lensing_core.models.networks.dihedral import dihedral
from lensing_core.physics.operators import poisson_residual
from lensing_core.physics.power_law import power_law_convergence

CELLS = 16
TRUTH = ("theta_e_arcsec", "lens_axis_ratio", "lens_angle_rad", "mass_slope")
"""Parameters of a lens, in the order of the columns of :meth:`MassHead.loss`. The first three
must be known; a mass without a slope is isothermal."""


class MassHead(nn.Module):
    """Embedding (n, d) to potential and Einstein radius.

    Parameters
    ----------
    dim : int
        Length of the embedding.
    size_arcsec : float
        Side of the cutouts, which the grid of :data:`CELLS` × :data:`CELLS` covers.
    """

    def __init__(self, dim: int, size_arcsec: float) -> None:
        super().__init__()
        self.spacing_arcsec = size_arcsec / CELLS
        self.potential = nn.Linear(dim, CELLS**2)
        self.radius = nn.Linear(dim, 1)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """ψ (n, cells, cells) in arcsec², and ln θ_E (n,) with θ_E in arcsec."""
        # In units of the cells' area the Laplacian of the output is of the order of the output.
        potential = self.potential(embedding).unflatten(-1, (CELLS, CELLS))
        return potential * self.spacing_arcsec**2, self.radius(embedding).squeeze(-1)

    def loss(self, embedding: Tensor, truth: Tensor, orientation: Tensor) -> Tensor:
        """Mean over the lenses whose mass is known of both terms; 0 where there is none.

        Objects enter by what is true of them, not by the network's own logit, so that calling an
        object no lens spares it nothing. Both terms are robust (Huber): one in ln θ_E, one in the
        residual ∇²ψ − 2κ on the inner cells.

        Parameters
        ----------
        embedding : Tensor of shape (n, d)
        truth : Tensor of shape (n, 4)
            Columns :data:`TRUTH` before turning, NaN where unknown.
        orientation : Tensor of int of shape (n,)
            How each image was turned: a code of :func:`~lensing_core.models.networks.dihedral`.
        """
        known = torch.isfinite(truth[:, :3]).all(dim=1)
        if not known.any():
            # All parameters take part: processes that train together wait for each one's gradient.
            return 0 * sum(part.sum() for part in self(embedding))
        with torch.autocast(embedding.device.type, enabled=False):
            potential, log_radius = self(embedding[known].float())
            radius, ratio, angle, slope = truth[known].T
            convergence = power_law_convergence(
                radius,
                ratio,
                angle,
                torch.nan_to_num(slope, nan=2.0),
                cells=CELLS,
                spacing_arcsec=self.spacing_arcsec,
            )
            convergence = dihedral(convergence[:, None], orientation[known])[:, 0]
            residual = poisson_residual(potential, convergence, self.spacing_arcsec)
            return functional.huber_loss(log_radius, radius.log()) + functional.huber_loss(
                residual, torch.zeros_like(residual)
            )
