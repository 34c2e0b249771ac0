"""Evaluate: how good an ensemble is, and where it fails."""
