"""Validate: candidates on their way from a detection to a confirmation that people enter."""
