"""What the numbers of a fit are said to mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lensing_core.lens_test.evidence import Evidence
from lensing_core.lens_test.verdict import judge

SURE = Evidence(
    snr=40, share=0.98, delta_bic=900, rival="an unlensed ring", rival_delta_bic=120, n_images=4,
    inner_snr=15, outer_snr=30, unequal=0.01, theta_e_error=0.02,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "verdict", "words"),
    [
        ({}, "supports", "4 images of one source"),
        ({"snr": 6}, "unclear", "too little light"),
        ({"share": 0.3, "rival_delta_bic": -40}, "no_lens", "explains 30 %"),
        ({"share": 0.3}, "unclear", "more than any without a lens"),
        ({"share": 0.85, "rival_delta_bic": -40}, "no_lens", "an unlensed ring"),
        ({"rival_delta_bic": -40}, "unclear", "an unlensed ring would explain the light better"),
        ({"rival_delta_bic": 3}, "unclear", "an unlensed ring would explain the light as well"),
        ({"n_images": 1}, "unclear", "single image"),
        ({"inner_snr": 2.5}, "unclear", "counter-image is too faint (S/N 2.5)"),
        ({"unequal": 0.4}, "unclear", "not as bright"),
        ({"theta_e_error": 0.3}, "unclear", "uncertain by 30 %"),
    ],
)
def test_each_doubt_is_said(changed: dict[str, float], verdict: str, words: str) -> None:
    found, sentence = judge(replace(SURE, **changed), 1.2, 0.7)
    assert found == verdict
    assert words in sentence
    assert sentence.endswith(".")


def test_images_closer_than_the_psf_are_no_support() -> None:
    assert judge(SURE, 0.3, 0.7)[0] == "unclear"
