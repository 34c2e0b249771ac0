"""Settings: what holds for the whole workspace."""
