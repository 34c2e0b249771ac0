"""Shared parameter types of the commands."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import param
import typer

from lens_triage.training.settings import Field
from lensing_core.errors import BadInputError

WorkspaceArgument = Annotated[Path, typer.Argument(help="Workspace folder.", show_default=False)]


def _option_type(field: Field) -> Any:
    """The Python type that typer needs for a setting."""
    parameter = field.parameter
    if isinstance(parameter, param.Boolean):
        return bool
    if isinstance(parameter, param.Integer):
        return int
    if isinstance(parameter, param.Number):
        return float
    if isinstance(parameter, param.List | param.ListSelector | param.Dict):
        return list[str]
    return str


def option_of(field: Field) -> inspect.Parameter:
    """The command-line option of a setting."""
    parameter = field.parameter
    help_text = f"{field.help} [{field.unit}]" if field.unit else field.help
    limits: dict[str, Any] = {}
    if isinstance(parameter, param.Number) and parameter.bounds:
        limits["min"], limits["max"] = parameter.bounds
    default = field.default
    if isinstance(parameter, param.Dict):
        help_text += " Give NAME=VALUE; may be repeated."
        default = [f"{name}={value}" for name, value in (field.default or {}).items()]
    elif isinstance(parameter, param.ListSelector):
        help_text += f" One of {', '.join(map(str, parameter.objects))}; may be repeated."
        default = list(field.default or [])
    elif isinstance(parameter, param.List):
        help_text += " May be repeated."
        default = list(field.default)
    elif isinstance(parameter, param.Selector):
        help_text += f" One of {', '.join(map(str, parameter.objects))}."
    option = typer.Option(
        help=help_text, rich_help_panel=field.group, show_default=bool(default), **limits
    )
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[_option_type(field), option],
    )


def parse_option(field: Field, value: Any) -> Any:
    """Convert typer's value to the value of the setting."""
    if not isinstance(field.parameter, param.Dict):
        return value
    pairs = [str(item).partition("=") for item in value]
    for name, equals, _ in pairs:
        if not equals:
            option = "--" + field.name.replace("_", "-")
            raise BadInputError(f"{option} {name!r}: write it as NAME=VALUE.")
    return {name.strip(): text.strip() for name, _, text in pairs}
