"""What the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WorkspaceArgument = Annotated[Path, typer.Argument(help="Workspace folder.", show_default=False)]
