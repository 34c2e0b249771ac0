"""Score: rank a catalog with an ensemble."""
