"""The job that matches a catalog with its references: files at once, services in batches."""

from lens_triage.training.jobs.crossmatch.job import run

__all__ = ["run"]
