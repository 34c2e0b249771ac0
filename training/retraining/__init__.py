"""Fast retrain: new heads from labels, on what members stored of a catalog, in seconds.

:mod:`~training.retraining.labels` says what is labeled, :mod:`~training.retraining.reserved` keeps
the objects that never train, :mod:`~training.retraining.selection` draws and reads the rows,
:mod:`~training.retraining.heads` and :mod:`~training.retraining.stacking` hold the statistics, and
:mod:`~training.retraining.job` is the run.
"""

from training.retraining.job import run

__all__ = ["run"]
