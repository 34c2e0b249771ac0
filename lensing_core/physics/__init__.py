"""Lensing and cosmology: closed forms and operators."""
