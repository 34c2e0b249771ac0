"""Output of commands: text of users is printed literally, never as markup or emoji codes."""

from __future__ import annotations

from rich.console import Console

console = Console(markup=False, emoji=False)
errors = Console(stderr=True, markup=False, emoji=False)
