"""Stretches and color pictures: closed forms, astropy as the judge, invariances, missing data."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from astropy.visualization import make_lupton_rgb
from PIL import Image

from lensing_core.cutouts import CutoutGeometry, CutoutStore, CutoutWriter
from lensing_core.errors import BadInputError
from lensing_core.imaging import (
    AsinhStretch,
    auto_stretch,
    catalog_noise,
    choose_rgb_bands,
    encode,
    lupton_rgb,
    render_band,
    render_rgb,
    sky_noise,
    stretch_band,
)

SIZE = 48


def geometry(bands: str = "gri", kind: str = "flux") -> CutoutGeometry:
    n = len(bands)
    return CutoutGeometry("test", tuple(bands), SIZE, 0.2, kind, (25.0,) * n, (0.8,) * n)


def cutout(sigma=(1.0, 2.0, 4.0), level=(0.0, 5.0, -3.0), peak=200.0, seed=3) -> np.ndarray:
    """A round galaxy of equal peak signal-to-noise in each band."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    galaxy = peak * np.exp(-(x**2 + y**2) / 18)
    return np.stack(
        [
            s * (galaxy + rng.normal(size=(SIZE, SIZE))) + z
            for s, z in zip(sigma, level, strict=True)
        ]
    ).astype(np.float32)


def test_noise_of_a_known_sky():
    noise = sky_noise(np.stack([cutout(seed=k) for k in range(20)]))
    np.testing.assert_allclose(noise.sigma, [1, 2, 4], rtol=0.02)
    np.testing.assert_allclose(noise.level, [0, 5, -3], atol=0.15)


def test_noise_ignores_a_changing_sky_nan_and_missing_bands():
    stack = np.stack([cutout(seed=k) + 50 * k for k in range(9)])
    stack[:, 1] = np.nan
    stack[4, 0, :20] = np.nan
    noise = sky_noise(stack)
    np.testing.assert_allclose(noise.sigma[[0, 2]], [1, 4], rtol=0.05)
    assert np.isnan(noise.sigma[1])
    assert noise.level[0] == pytest.approx(200, abs=1)


def test_noiseless_and_constant_images_have_a_scale():
    noiseless = cutout(sigma=(1, 1, 1), level=(0, 0, 0)) * 0
    noiseless[0, SIZE // 2, SIZE // 2 - 8 : SIZE // 2 + 8] = 100.0
    noise = sky_noise(noiseless)
    assert noise.sigma[0] == pytest.approx(0.1)
    assert noise.sigma[1] == 1.0


def test_catalog_noise_does_not_change_as_the_catalog_grows(tmp_path):
    writer = CutoutWriter(tmp_path, geometry())
    writer.write_shard(0, np.stack([cutout(seed=k) for k in range(6)]))
    before = catalog_noise(CutoutStore(tmp_path))
    writer.write_shard(1, np.stack([1000 * cutout(seed=k) for k in range(6)]))
    after = catalog_noise(CutoutStore(tmp_path))
    np.testing.assert_array_equal(before.sigma, after.sigma)


@pytest.mark.parametrize(("black", "stretch", "q"), [(0, 5, 8), (-1.5, 10, 8), (2, 0.7, 20)])
def test_lupton_agrees_with_astropy(black, stretch, q):
    rng = np.random.default_rng(0)
    channels = rng.normal(2, 3, (3, 40, 40)) + 10 ** rng.uniform(-1, 3, (3, 40, 40))
    levels, known = lupton_rgb(channels, AsinhStretch(black, stretch, q))
    theirs = make_lupton_rgb(
        *channels, minimum=black, stretch=stretch, Q=q, output_dtype=np.float64
    )
    assert known.all()
    np.testing.assert_allclose(levels, theirs, atol=1e-12)


def test_color_does_not_depend_on_brightness():
    """Flux ratios 4 : 2 : 1 stay so over four decades, saturated pixels included."""
    brightness = np.logspace(-1, 3, 200).reshape(1, 10, 20)
    channels = brightness * np.array([4.0, 2.0, 1.0])[:, None, None]
    levels, _ = lupton_rgb(channels, AsinhStretch(0.0, 5.0, 8.0))
    np.testing.assert_allclose(levels[..., 0] / levels[..., 2], 4, rtol=1e-9)
    np.testing.assert_allclose(levels[..., 1] / levels[..., 2], 2, rtol=1e-9)
    assert levels.max() == pytest.approx(1)
    assert np.all(np.diff(levels.sum(axis=2).ravel()) > -1e-12)


def test_a_pixel_without_one_channel_is_grey_and_without_any_unknown():
    channels = np.full((3, 8, 8), 30.0)
    channels[0] *= 2
    channels[2, 2, 3] = np.nan
    channels[:, 5, 5] = np.nan
    levels, known = lupton_rgb(channels, AsinhStretch())
    assert np.ptp(levels[2, 3]) == 0
    assert levels[2, 3, 0] > 0
    assert np.ptp(levels[0, 0]) > 0
    assert not known[5, 5]
    assert known.sum() == 63


@pytest.mark.parametrize("q", [0.0, 1e-9, 0.5, 8.0, 60.0])
def test_asinh_curve_inverts_and_is_anchored(q):
    curve = AsinhStretch(-1.5, 7.0, q)
    for level in (0.0, 0.1, 0.5, 0.85, 1.0):
        assert curve.level(np.array(curve.intensity_at(level))) == pytest.approx(level, abs=1e-12)
    assert curve.level(np.array(-1.5 + 0.7)) == pytest.approx(0.1)


@pytest.mark.parametrize("field", ["black", "stretch", "q"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e9])
def test_parameters_out_of_range_are_refused(field, value):
    with pytest.raises(BadInputError, match=field):
        AsinhStretch(**{field: value})


def test_single_band_stretches_have_their_closed_form():
    pixels = np.linspace(0, 1000, 10_001).reshape(73, 137)
    parameters = AsinhStretch(100.0, 10.0, 8.0)
    white = np.percentile(pixels, 99.9)
    fraction = np.clip((pixels - 100) / (white - 100), 0, 1)
    for kind, expected in {
        "linear": fraction,
        "sqrt": np.sqrt(fraction),
        "log": np.log(1 + 1000 * fraction) / np.log(1001),
        "asinh": np.clip(parameters.level(pixels), 0, 1),
        "percentile": np.clip((pixels - 5) / 990, 0, 1),
    }.items():
        np.testing.assert_allclose(stretch_band(pixels, kind, parameters), expected, atol=1e-12)


def test_stretches_keep_nan_and_survive_empty_and_constant_bands():
    pixels = np.full((8, 8), 3.0)
    pixels[0, 0] = np.nan
    for kind in ("linear", "sqrt", "log", "asinh", "percentile"):
        level = stretch_band(pixels, kind, AsinhStretch())
        assert np.isnan(level[0, 0])
        assert np.isfinite(level.ravel()[1:]).all()
        assert np.isnan(stretch_band(np.full((8, 8), np.nan), kind, AsinhStretch())).all()
    with pytest.raises(BadInputError, match="choose one of"):
        stretch_band(pixels, "histogram", AsinhStretch())


def test_auto_suits_the_object_whatever_its_sky_and_brightness():
    for peak in (40, 400, 40_000):
        for sky in (0, -20, 300):
            found = auto_stretch(cutout((1, 1, 1), (sky,) * 3, peak).astype(float))
            assert found.black == pytest.approx(sky - 1.5, abs=0.1)
            bright = np.percentile(cutout((1, 1, 1), (sky,) * 3, peak).mean(axis=0), 99.5)
            if found.stretch > 3:
                assert found.level(np.array(bright)) == pytest.approx(0.85, abs=0.01)
    assert auto_stretch(cutout(peak=0).astype(float)).stretch == 3  # noise is not blown up
    assert auto_stretch(np.full((3, 16, 16), np.nan)) == AsinhStretch()


def test_the_picture_does_not_depend_on_the_flux_unit():
    image = cutout()
    scaled = image * np.float32(1e-4)
    for parameters in (None, AsinhStretch()):
        one = render_rgb(image, geometry(), sky_noise(image), parameters=parameters)
        two = render_rgb(scaled, geometry(), sky_noise(scaled), parameters=parameters)
        assert np.abs(one.astype(int) - two).max() <= 1


def test_row_zero_is_at_the_bottom_and_bands_are_where_asked():
    image = cutout(level=(0, 0, 0), sigma=(1, 1, 1), peak=0)
    image[0, 2, 5:9] = 500  # g, near the bottom
    noise = sky_noise(image)
    picture = render_rgb(image, geometry(), noise, bands=("i", "r", "g"), look="lupton")
    red, green, blue, alpha = picture[SIZE - 1 - 2, 5]
    assert blue > 200
    assert max(red, green) < 30
    assert alpha == 255
    band = render_band(image, geometry(), noise, "g", kind="linear")
    assert (band[SIZE - 3, 5:9, 0] == 255).all()
    assert np.sort(band[..., 0].ravel())[-5] < 10


def test_nan_is_transparent():
    image = cutout()
    image[:, 10:20, 5:9] = np.nan
    image[2, :4] = np.nan
    noise = sky_noise(image)
    hole = np.zeros((SIZE, SIZE), bool)
    hole[10:20, 5:9] = True
    assert (render_rgb(image, geometry(), noise)[::-1][..., 3] == np.where(hole, 0, 255)).all()
    hole[:4] = True
    band = render_band(image, geometry(), noise, "i")[::-1]
    assert (band[..., 3] == np.where(hole, 0, 255)).all()
    image[1] = np.nan
    assert not render_band(image, geometry(), sky_noise(image), "r")[..., 3].any()


def test_rendered_pictures_are_shown_as_they_are():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (3, SIZE, SIZE)).astype(np.float32)
    image[1, 3, 4] = np.nan
    shape = geometry("RGB", "rendered")
    picture = render_rgb(image, shape, sky_noise(image))
    assert picture[3, 4, 3] == 0
    picture[3, 4, :3] = np.where(np.isnan(image[:, 3, 4]), 0, image[:, 3, 4])
    np.testing.assert_array_equal(picture[..., :3], np.nan_to_num(image).transpose(1, 2, 0))
    green = render_band(image, shape, sky_noise(image), "G")
    np.testing.assert_array_equal(green[..., 0], np.nan_to_num(image[1]))


@pytest.mark.parametrize(
    ("bands", "preferred", "expected"),
    [
        ("grizy", ("i", "r", "g"), ("i", "r", "g")),
        ("grizy", ("F444W", "F277W", "F115W"), ("y", "i", "g")),
        ("gri", None, ("i", "r", "g")),
        ("gi", None, ("i", "", "g")),
        ("r", None, ("r", "r", "r")),
    ],
)
def test_bands_for_color(bands, preferred, expected):
    assert choose_rgb_bands(tuple(bands), preferred) == expected


def test_two_bands_make_green_of_their_mean_and_one_band_is_grey():
    image = cutout()[:2]
    picture = render_rgb(image, geometry("gi"), sky_noise(image), parameters=AsinhStretch(-3, 400))
    red, green, blue = (picture[..., k].astype(int) for k in range(3))
    assert np.abs(green - (red + blue) / 2).max() <= 1
    one = render_rgb(image[:1], geometry("r"), sky_noise(image[:1]))
    assert (np.ptp(one[..., :3], axis=2) == 0).all()


def test_an_unknown_band_is_named():
    image = cutout()
    with pytest.raises(BadInputError, match=r"no band 'u'.*g, r, i"):
        render_band(image, geometry(), sky_noise(image), "u")
    with pytest.raises(BadInputError, match="name three"):
        render_rgb(image, geometry(), sky_noise(image), bands=("g", "r"))


@pytest.mark.parametrize("image_format", ["webp", "png"])
def test_encoding_is_lossless_and_shrinks_on_request(image_format):
    image = cutout()
    image[:, :5] = np.nan
    picture = render_rgb(image, geometry(), sky_noise(image))
    decoded = Image.open(BytesIO(encode(picture, image_format))).convert("RGBA")
    seen = picture[..., 3] > 0
    np.testing.assert_array_equal(np.asarray(decoded)[seen], picture[seen])
    np.testing.assert_array_equal(np.asarray(decoded)[..., 3], picture[..., 3])
    small = Image.open(BytesIO(encode(picture, image_format, size_px=16)))
    assert small.size == (16, 16)
    assert Image.open(BytesIO(encode(picture, image_format, size_px=500))).size == (SIZE, SIZE)
