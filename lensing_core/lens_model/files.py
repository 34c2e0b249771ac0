"""Files of a posterior: samples, summary, picture, and starts for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lensing_core.disk import replacing
from lensing_core.errors import DamagedError
from lensing_core.lens_model.coolest import coolest_json
from lensing_core.lens_model.corner import corner_svg
from lensing_core.lens_model.places import CORNER, SAMPLES, SUMMARY
from lensing_core.lens_model.posterior import LensPosterior
from lensing_core.lens_model.start_files import (
    SCRIPTS,
    cutout_arrays,
    lenstronomy_json,
    pyautolens_json,
    script,
)


def write_posterior(
    posterior: LensPosterior,
    folder: Path,
    *,
    zero_points_mag: Mapping[str, float] | None = None,
    position_deg: tuple[float, float] | None = None,
) -> list[str]:
    """Write all files of a posterior into a folder, the summary last; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = posterior.sample
    _write_arrays(
        folder / SAMPLES,
        {
            "names": np.array(posterior.names),
            "points": sample.points,
            "log_weight": sample.log_weight,
            "log_density": sample.log_density,
            "draws": posterior.draws,
            "quantities": np.array(list(posterior.quantities)),
            "values": np.column_stack(list(posterior.quantities.values())),
        },
    )
    _write_arrays(folder / "cutout.npz", cutout_arrays(posterior))
    texts = {
        CORNER: corner_svg(posterior),
        "lenstronomy.json": _dumped(lenstronomy_json(posterior)),
        "pyautolens.json": _dumped(pyautolens_json(posterior)),
        **{name: script(name) for name in SCRIPTS},
    }
    for k, band in enumerate(posterior.summary["bands"]):
        zero_point = (zero_points_mag or {}).get(band, math.nan)
        content = coolest_json(posterior, k, zero_point_mag=zero_point, position_deg=position_deg)
        texts[f"coolest-{k + 1}-{_plain(band)}.json"] = _dumped(content)
    texts[SUMMARY] = _dumped(posterior.summary)
    for name, text in texts.items():
        with replacing(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    return [SAMPLES, "cutout.npz", *texts]


def read_posterior(folder: Path) -> dict[str, NDArray[Any]]:
    """Arrays of :func:`write_posterior`'s samples, by name.

    Raises
    ------
    DamagedError
        If they are missing or damaged.
    """
    path = folder / SAMPLES
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:
        raise DamagedError(f"{path} cannot be read ({error}); run the lens model again.") from error


def _write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with replacing(path) as written, written.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its stubs forbid names


def _dumped(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(name: str) -> str:
    """A name of a band with letters and digits alone."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)
