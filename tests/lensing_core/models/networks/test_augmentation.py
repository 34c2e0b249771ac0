"""The photometric contract: colors and flux survive, by the worst case."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from lensing_core.errors import BadInputError
from lensing_core.models.networks import (
    AugmentationSpec,
    augment,
    broadened_fwhm_arcsec,
    dihedral,
)
from lensing_core.models.networks.resampling import (
    FWHM_PER_SIGMA,
    broaden,
    required_size_px,
    resample,
)

COLORS = torch.tensor([1.0, 3.7, 0.2])
EVERYTHING = AugmentationSpec(
    48, rotate=True, max_shift_px=1.0, max_extra_psf_fwhm_px=3.0, max_gain=0.05
)


def close(found: torch.Tensor, expected: torch.Tensor, atol: float = 1e-5) -> None:
    """Fail with the largest difference unless all entries agree."""
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def star(size_px: int, fwhm_px: float, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    """A Gaussian of unit peak at (x, y) from the center."""
    axis = torch.arange(size_px) - (size_px - 1) / 2
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    sigma = fwhm_px / FWHM_PER_SIGMA
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


def arc_with_lens(n: int, size_px: int) -> torch.Tensor:
    """The same blue arc and red lens n times, three bands whose ratio differs between the two."""
    lens = star(size_px, 5.0)[None] * torch.tensor([0.3, 1.0, 2.0])[:, None, None]
    knots = star(size_px, 3.0, 7, 4) + star(size_px, 3.0, 5, 7) + star(size_px, 3.0, -6, -2)
    arc = knots[None] * torch.tensor([1.0, 0.8, 0.5])[:, None, None]
    return (lens + arc).repeat(n, 1, 1, 1)


class TestPhotometricContract:
    @pytest.mark.parametrize(
        "spec",
        [
            AugmentationSpec(48),
            AugmentationSpec(48, rotate=True),
            AugmentationSpec(48, max_shift_px=2.0),
            AugmentationSpec(48, max_extra_psf_fwhm_px=4.0),
            AugmentationSpec(48, max_gain=0.05),
            EVERYTHING,
        ],
        ids=["dihedral", "rotate", "shift", "psf", "gain", "everything"],
    )
    def test_flux_ratios_of_the_worst_pixel_are_unchanged(self, spec):
        images = 100 * star(96, 3.0, 4.2, -6.6) * COLORS[:, None, None]
        made = augment(images.repeat(300, 1, 1, 1), spec, seeded()).images
        bright = made[:, 0] > 0.5
        assert bright.sum() > 300 * 9
        for band in (1, 2):
            ratio = made[:, band][bright] / made[:, 0][bright] / COLORS[band]
            assert (ratio - 1).abs().max() < 1e-4

    def test_total_flux_ratios_of_a_colored_scene(self):
        images = arc_with_lens(300, 112)
        made = augment(images, EVERYTHING, seeded()).images
        expected = images.sum((2, 3)) / images.sum((2, 3))[:, :1]
        found = made.sum((2, 3)) / made.sum((2, 3))[:, :1]
        assert (found / expected - 1).abs().max() < 1e-3

    @pytest.mark.parametrize(("fwhm_px", "worst"), [(2.0, 0.006), (2.5, 0.002), (4.0, 0.0005)])
    def test_turning_keeps_flux(self, fwhm_px, worst):
        images = star(96, fwhm_px, 10.3, -4.6).repeat(300, 1, 1, 1)
        spec = AugmentationSpec(48, rotate=True)
        made = augment(images, spec, seeded()).images
        assert (made.sum((1, 2, 3)) / images.sum((1, 2, 3)) - 1).abs().max() < worst

    @pytest.mark.parametrize("fwhm_px", [1.5, 3.0])
    def test_shifting_and_broadening_keep_flux(self, fwhm_px):
        images = star(96, fwhm_px, 5.3, -4.6).repeat(200, 1, 1, 1)
        for spec in (
            AugmentationSpec(64, max_shift_px=3.0),
            AugmentationSpec(64, max_extra_psf_fwhm_px=4.0),
        ):
            made = augment(images, spec, seeded()).images
            assert (made.sum((1, 2, 3)) / images.sum((1, 2, 3)) - 1).abs().max() < 1e-4

    def test_radii_are_unchanged(self):
        """No zoom: the second moment of a ring of knots about the center stays."""
        images = sum(star(96, 4.0, 9 * math.cos(a), 9 * math.sin(a)) for a in (0.3, 2.0, 4.4))
        axis = torch.arange(48) - 23.5
        square = axis[:, None] ** 2 + axis**2
        made = augment(
            images.repeat(100, 1, 1, 1), AugmentationSpec(48, rotate=True), seeded()
        ).images[:, 0]
        spread = (made * square).sum((1, 2)) / made.sum((1, 2))
        center = images[24:72, 24:72]
        expected = (center * square).sum() / center.sum()
        assert (spread / expected - 1).abs().max() < 5e-3

    def test_gain_is_one_factor_for_all_bands_and_no_offset(self):
        images = torch.rand(50, 3, 32, 32)
        spec = AugmentationSpec(32, dihedral=False, max_gain=0.05)
        made = augment(images, spec, seeded())
        close(made.images, images * made.gain.reshape(-1, 1, 1, 1))
        assert 0.95 <= made.gain.min() < 0.96
        assert 1.04 < made.gain.max() <= 1.05


class TestResampling:
    def test_agrees_with_a_scene_drawn_in_place(self):
        """Turned and shifted knots, against the same knots drawn where they should be."""
        angle, shift = 0.7, torch.tensor([[0.3, -1.2]])
        found, _ = resample(star(96, 4.0, 9, 5)[None, None], torch.tensor([angle]), shift, 48)
        cos, sin = math.cos(angle), math.sin(angle)
        x, y = cos * 9 + sin * 5 - 0.3, -sin * 9 + cos * 5 + 1.2
        close(found[0, 0], star(48, 4.0, x, y), 0.012)

    def test_nothing_to_do_changes_nothing(self):
        images = torch.rand(3, 2, 40, 40)
        found, factor = resample(images, torch.zeros(3), torch.zeros(3, 2), 32)
        close(found, images[..., 4:36, 4:36], 2e-4)
        assert factor.min() > 0.999

    def test_a_quarter_turn_is_exact(self):
        images = torch.rand(2, 1, 40, 40)
        found, _ = resample(images, torch.full((2,), math.pi / 2), torch.zeros(2, 2), 32)
        # A point at angle a moves to a - 90 degrees, y growing with the row.
        close(found, images[..., 4:36, 4:36].rot90(1, (-2, -1)), 2e-4)

    @pytest.mark.parametrize("size_px", [47, 48])
    def test_no_corner_is_made_up(self, size_px):
        """From an image of the required size, no output pixel reads beyond the border."""
        spec = AugmentationSpec(size_px, rotate=True, max_shift_px=2.0)
        assert (spec.input_size_px - size_px) % 2 == 0
        images = torch.full((400, 1, spec.input_size_px, spec.input_size_px), 5.0)
        made = augment(images, spec, seeded()).images
        assert (made - 5).abs().max() < 1e-4
        smaller = images[..., :-2, :-2]
        with pytest.raises(BadInputError, match=str(spec.input_size_px)):
            augment(smaller, spec, seeded())

    def test_required_size(self):
        assert required_size_px(64, 0, rotate=False) == 64
        assert required_size_px(64, 2, rotate=False) == 72
        assert required_size_px(64, 0, rotate=True) >= 64 * math.sqrt(2) + 2

    def test_pixels_without_data_stay_so_and_spoil_their_neighbors_only(self):
        images = torch.ones(20, 1, 96, 96)
        images[:, :, 44:47, 60:62] = math.nan
        made = augment(images, AugmentationSpec(64, rotate=True), seeded()).images
        lost = made.isnan().flatten(1).sum(1)
        assert lost.min() >= 6
        assert lost.max() <= 50
        assert (made[made.isfinite()] - 1).abs().max() < 1e-4


class TestBroadening:
    @pytest.mark.parametrize("size_px", [64, 65])
    def test_widths_add_in_quadrature(self, size_px):
        image = star(size_px, 3.0)[None, None]
        found, _ = broaden(image, torch.tensor([4.0]), 4.0)
        total = image.sum()
        expected = star(size_px, 5.0)
        close(found[0, 0], expected * total / expected.sum(), 1e-4)

    def test_agrees_with_scipy_also_at_the_border(self):
        image = torch.rand(1, 1, 40, 56)
        found, _ = broaden(image, torch.tensor([3.0]), 3.0)
        expected = ndimage.gaussian_filter(
            image[0, 0].double().numpy(), 3.0 / FWHM_PER_SIGMA, mode="mirror", truncate=8
        )
        np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=2e-3)

    def test_each_image_has_its_own_width_and_zero_is_exact(self):
        images = torch.rand(3, 2, 33, 33)
        widths = torch.tensor([0.0, 2.0, 4.0])
        found, factor = broaden(images, widths, 4.0)
        assert torch.equal(found[0], images[0])
        close(found[1:2], broaden(images[1:2], widths[1:2], 4.0)[0])
        assert factor[0] == 1
        # Sum of the squared kernel: 1 / (4 pi sigma^2).
        expected = 1 / (4 * math.pi * (4 / FWHM_PER_SIGMA) ** 2)
        assert float(factor[2]) == pytest.approx(expected, rel=1e-3)

    def test_holes_stay_and_do_not_darken_their_surroundings(self):
        image = torch.full((1, 1, 40, 40), 7.0)
        image[..., 10:14, 20:30] = math.nan
        found, _ = broaden(image, torch.tensor([3.0]), 3.0)
        assert torch.equal(found.isnan(), image.isnan())
        assert (found[found.isfinite()] - 7).abs().max() < 1e-3

    def test_width_in_arcsec(self):
        found = broadened_fwhm_arcsec(torch.tensor([0.6]), torch.tensor([4.0]), 0.2)
        assert float(found) == pytest.approx(1.0)


class TestNoise:
    @pytest.mark.parametrize(
        "spec",
        [
            AugmentationSpec(48, max_shift_px=1.0),
            AugmentationSpec(48, rotate=True),
            AugmentationSpec(48, max_extra_psf_fwhm_px=3.0, degrade_probability=1.0),
            AugmentationSpec(48, max_noise=1.5, degrade_probability=1.0),
            AugmentationSpec(48, max_gain=0.3),
        ],
        ids=["shift", "rotate", "psf", "noise", "gain"],
    )
    def test_pixels_have_the_variance_that_is_returned(self, spec):
        """White noise in, and neither too smooth nor too noisy out."""
        images = 3 * torch.randn(400, 1, 96, 96, generator=seeded(1))
        made = augment(images, spec, seeded(), torch.full_like(images, 9.0))
        pulls = made.images / made.variance.sqrt()
        per_image = pulls.square().mean((1, 2, 3))
        assert float(per_image.mean()) == pytest.approx(1, abs=0.01)
        # An image of 48 x 48 white pixels scatters by 3 %, one of correlated pixels somewhat more.
        assert (per_image - 1).abs().max() < 0.25
        assert float(pulls.mean()) == pytest.approx(0, abs=0.01)

    def test_level_is_in_units_of_each_pixels_noise(self):
        variance = torch.tensor([1.0, 100.0]).reshape(1, 2, 1, 1).repeat(200, 1, 32, 32)
        variance[:, 0, :4] = math.nan
        spec = AugmentationSpec(32, dihedral=False, max_noise=2.0, degrade_probability=0.5)
        made = augment(torch.zeros_like(variance), spec, seeded(), variance)
        untouched = made.added_noise == 0
        assert 60 < untouched.sum() < 140
        assert (made.images[untouched] == 0).all()
        ratio = made.images[:, 1].std((1, 2)) / made.added_noise
        assert float(ratio[~untouched].mean()) == pytest.approx(10, rel=0.02)
        assert (made.images[:, 0, :4] == 0).all()

    def test_noise_needs_a_variance_map(self):
        with pytest.raises(BadInputError, match="variance"):
            augment(torch.zeros(2, 1, 32, 32), AugmentationSpec(32, max_noise=1.0), seeded())
        with pytest.raises(BadInputError, match="Variance of shape"):
            augment(
                torch.zeros(2, 1, 32, 32),
                AugmentationSpec(32),
                seeded(),
                torch.zeros(2, 2, 32, 32),
            )


class TestRandomness:
    def test_one_generator_gives_everything(self):
        spec = AugmentationSpec(
            48,
            rotate=True,
            max_shift_px=1.0,
            max_extra_psf_fwhm_px=2.0,
            max_noise=1.0,
            max_gain=0.1,
        )
        images = arc_with_lens(8, 96)
        variance = torch.ones_like(images)
        torch.manual_seed(1)
        first = augment(images, spec, seeded(5), variance)
        torch.manual_seed(2)
        again = augment(images, spec, seeded(5), variance)
        other = augment(images, spec, seeded(6), variance)
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
        assert not torch.equal(first.images, other.images)

    def test_every_image_is_drawn_by_itself(self):
        made = augment(arc_with_lens(40, 112), EVERYTHING, seeded()).images
        differences = (made[:, None] - made[None]).abs().amax((2, 3, 4))
        assert (differences + torch.eye(40)).min() > 1e-4

    def test_inputs_are_left_alone(self):
        images = arc_with_lens(4, 112)
        copy = images.clone()
        augment(images, EVERYTHING, seeded(), torch.ones_like(images))
        assert torch.equal(images, copy)

    @pytest.mark.parametrize(
        "change",
        [{"max_gain": 1.0}, {"max_noise": -1.0}, {"degrade_probability": 2.0}, {"size_px": 4}],
    )
    def test_senseless_settings_are_refused(self, change):
        with pytest.raises(BadInputError):
            AugmentationSpec(**{"size_px": 48, **change})

    def test_other_parity_is_refused(self):
        with pytest.raises(BadInputError, match="even"):
            augment(torch.zeros(1, 1, 65, 65), AugmentationSpec(48), seeded())


class TestDihedral:
    def test_eight_orientations_are_exact_and_different(self):
        image = torch.rand(1, 2, 9, 9)
        views = dihedral(image.repeat(8, 1, 1, 1), torch.arange(8))
        expected = [
            turned.rot90(k, (-2, -1)) for turned in (image, image.flip(-1)) for k in range(4)
        ]
        found = {view.numpy().tobytes() for view in views}
        assert len(found) == 8
        assert found == {view[0].contiguous().numpy().tobytes() for view in expected}
        assert torch.equal(views[0], image[0])

    def test_augmentation_draws_all_of_them(self):
        image = torch.rand(1, 1, 8, 8).repeat(400, 1, 1, 1)
        made = augment(image, AugmentationSpec(8), seeded()).images
        _, counts = np.unique([m.numpy().tobytes() for m in made], return_counts=True)
        assert len(counts) == 8
        assert counts.min() > 25

    def test_oblong_images_are_refused(self):
        with pytest.raises(BadInputError, match="8 x 9"):
            dihedral(torch.zeros(1, 1, 8, 9), torch.zeros(1, dtype=torch.long))
