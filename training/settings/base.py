"""Base of all settings: reading, writing and listing."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import param

from lensing_core.errors import BadInputError


@dataclass(frozen=True)
class Field:
    """Description of one setting for command line and panels."""

    name: str
    parameter: Any
    default: Any
    help: str
    unit: str
    group: str
    title: str = ""


class RunSettings(param.Parameterized):
    """Base of all run settings; ``kind`` names the job that they describe.

    Forms call a setting by its name, or by what stands in ``titles``. A unit of '' says that the
    setting is a pure number. A class with ``presets`` has a setting of that name, ``preset``: what
    it stands for fills what is not given.
    """

    kind: ClassVar[str] = ""
    units: ClassVar[dict[str, str]] = {}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings by name, for each preset; what is not named has its default."""
    titles: ClassVar[dict[str, str]] = {}
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}
    files: ClassVar[tuple[str, ...]] = ()
    """Settings that name files or folders of the machine, one or a list of them."""
    older_names: ClassVar[dict[str, str]] = {}
    """Settings by the names that runs of older versions have stored."""

    def __init__(self, **values: Any) -> None:
        unknown = sorted(set(values) - {f.name for f in fields(type(self))})
        if unknown:
            raise BadInputError(f"{self.kind} settings: unknown {', '.join(unknown)}.")
        try:
            super().__init__(**{**self._of_preset(str(values.get("preset", ""))), **values})
        except (ValueError, TypeError) as error:
            raise BadInputError(f"{self.kind} settings: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Plain JSON of all settings."""
        return {f.name: f.parameter.serialize(getattr(self, f.name)) for f in fields(type(self))}

    @classmethod
    def with_present_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return stored settings under the names that they have in this version."""
        return {cls.older_names.get(name, name): value for name, value in values.items()}

    @classmethod
    def preset_values(cls, preset: str) -> dict[str, Any]:
        """Return what a preset stands for, with the defaults of what others set and it does not."""
        names = dict.fromkeys(name for values in cls.presets.values() for name in values)
        return {name: cls.param[name].default for name in names} | cls._of_preset(preset)

    @classmethod
    def _of_preset(cls, preset: str) -> dict[str, Any]:
        return deepcopy(dict(cls.presets.get(preset, {})))  # lists of its own for each

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the settings that :meth:`to_json` wrote."""
        known = {f.name: f.parameter for f in fields(cls)}
        present = cls.with_present_names(values)
        return cls(**{k: known[k].deserialize(v) if k in known else v for k, v in present.items()})

    def named_files(self) -> list[str]:
        """Return the files and folders that the settings name."""
        given = (getattr(self, name) for name in self.files)
        each = (value if isinstance(value, list) else [value] for value in given)
        return [path for paths in each for path in paths if path]

    def title(self) -> str:
        """One line for lists of runs."""
        return self.kind.capitalize()

    def check(self) -> None:
        """Raise BadInputError where settings contradict one another."""


def fields(settings: type[RunSettings]) -> list[Field]:
    """The settings of a class in order of declaration, base class first."""
    group_of = {name: group for group, names in settings.groups.items() for name in names}
    return [
        Field(
            name,
            p,
            p.default,
            (p.doc or "").strip(),
            settings.units.get(name, ""),
            group_of.get(name, "General"),
            settings.titles.get(name, ""),
        )
        for name, p in settings.param.objects("existing").items()
        if name != "name" and (p.precedence is None or p.precedence >= 0)
    ]
