"""Fast retrain: new heads from labels, on what members stored of a catalog, in seconds.

``labels`` says what is labeled, ``reserved`` keeps the objects that never train, ``selection``
draws and reads the rows, ``heads`` and ``stacking`` hold the statistics, and ``job`` is the run.
"""

from training.jobs.retrain.job import run

__all__ = ["run"]
