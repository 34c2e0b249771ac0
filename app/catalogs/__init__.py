"""Catalogs: import, simulate, and look at one in full."""
