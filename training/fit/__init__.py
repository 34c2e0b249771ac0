"""Training of ensembles: data and splits, members, calibration, evaluation."""

from training.fit.train import run

__all__ = ["run"]
