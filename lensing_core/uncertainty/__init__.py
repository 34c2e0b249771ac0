"""Uncertainty of ensembles: decomposition, fusion of members, conformal sets."""
