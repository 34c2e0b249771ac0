"""Sphinx: the guides, the method pages, the API from docstrings, and notebooks that are run."""

from __future__ import annotations

from importlib.metadata import version as _version

project = "lens-triage"
author = "The lens-triage developers"
release = _version("lens-triage")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "lens-triage"

autodoc_default_options = {"show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
