"""A lens model as a run keeps it, for tests of what shows it."""

from __future__ import annotations

from typing import Any

from lensing_core.lens_model.places import CORNER, model_folder
from lensing_core.store import open_database
from lensing_core.store.candidates import cutout_places
from lensing_core.store.lens_models import keep_lens_model
from lensing_core.store.tables import Run
from lensing_core.workspace import Workspace

_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7z"/></svg>'


def _around(middle: float, error: float) -> dict[str, float]:
    return {
        f"p{level:g}": middle + z * error
        for level, z in ((2.5, -2), (16, -1), (50, 0), (84, 1), (97.5, 2))
    }


SUMMARY: dict[str, Any] = {
    "version": 1,
    "mass": "sie",
    "settings": {"z_lens": 0.4, "z_source": 1.5},
    "cosmology": "FlatLambdaCDM(H0=70, Om0=0.3)",
    "lens_test": {"verdict": "supports", "sentence": "Supports a lens."},
    "bands": ["g", "r"],
    "quantities": {
        "theta_e_arcsec": {"title": "Einstein radius θ_E", "unit": "″", **_around(1.2, 0.012)},
        "axis_ratio": {"title": "Axis ratio q", "unit": "", **_around(0.75, 0.04)},
        "mass_msun": {"title": "Mass within θ_E", "unit": " M☉", **_around(2.6e11, 5e9)},
    },
    "images": {
        "share": 1.0,
        "each": [
            {"x_arcsec": 1.3, "y_arcsec": 0.4, "magnification": _around(4.1, 0.3),
             "delay_days": _around(0, 0)},
            {"x_arcsec": -0.8, "y_arcsec": -0.2, "magnification": _around(-2.2, 0.2),
             "delay_days": _around(41, 3)},
        ],
    },
    "is_compact": True,
    "histogram": {
        "edges": [1.16, 1.18, 1.19, 1.2, 1.21, 1.22, 1.24],
        "shares": [0.05, 0.15, 0.3, 0.3, 0.15, 0.05],
    },
    "diagnostics": {"converged": True, "effective_samples": 2004, "calls": 12960},
    "reduced_chi2": 1.02,
    "seconds": 140.0,
    "files": [CORNER],
}  # fmt: skip


def keep_model(workspace: Workspace, candidate: int) -> None:
    """Keep a model of a candidate, with one file."""
    with open_database(workspace).session() as session:
        if session.get(Run, "sampled") is None:
            run = Run(id="sampled", kind="model", title="Lens model", settings={})
            run.status = "succeeded"
            session.add(run)
            session.flush()
        place = cutout_places(session, [candidate])[candidate]
        keep_lens_model(session, candidate, "sampled", place, version=1, summary=SUMMARY)
    folder = model_folder(workspace.runs / "sampled", candidate)
    folder.mkdir(parents=True)
    (folder / CORNER).write_text(_PICTURE, encoding="utf-8")
