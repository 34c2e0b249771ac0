"""Paths of the files of a lens model in its run's folder; read by pages, without torch."""

from __future__ import annotations

from pathlib import Path

SAMPLES, SUMMARY, CORNER = "posterior.npz", "summary.json", "corner.svg"
CHECKPOINT = "sampler.hdf5"


def model_folder(run_folder: Path, candidate_id: int) -> Path:
    """The folder of one candidate's model within that of a run."""
    return run_folder / str(candidate_id)
