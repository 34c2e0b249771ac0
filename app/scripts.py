"""Scripts and styles of the components, as Panel takes them.

The scripts are ES modules beside the page that they belong to. Panel serves a component's script
from a blob, where relative imports have nothing to be relative to, so each entry and what it
imports is one bundle in ``app/bundles``, written by ``make scripts``.
"""

from __future__ import annotations

from pathlib import Path

_APP = Path(__file__).parent


def bundle(name: str) -> str:
    """Return the script ``app/bundles/<name>.js``."""
    return (_APP / "bundles" / f"{name}.js").read_text(encoding="utf-8")


def styles(*names: str) -> str:
    """Return the style sheets one after another; names are paths below ``app``."""
    return "\n".join((_APP / name).read_text(encoding="utf-8") for name in names)
