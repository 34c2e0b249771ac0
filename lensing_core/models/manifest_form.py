"""The one check of manifests of ensembles and models.

Whoever reads a manifest reads it by :func:`check_ensemble_manifest` or
:func:`check_model_manifest`; :mod:`lensing_core.models.manifest_types` says what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter, ValidationError

from lensing_core.errors import BrokenModelError, DamagedError, NotFoundError
from lensing_core.models.manifest_types import FUSIONS, KINDS, EnsembleManifest, ModelManifest

_ENSEMBLE: TypeAdapter[EnsembleManifest] = TypeAdapter(EnsembleManifest)
_MODEL: TypeAdapter[ModelManifest] = TypeAdapter(
    Annotated[ModelManifest, Field(discriminator="kind")]
)


def ensemble_problem(manifest: Any) -> str:
    """Return the error of an ensemble's manifest; '' for none. Parts may be missing."""
    return _problem(_ENSEMBLE, manifest) or _uneven(manifest.get("rule"))


def check_ensemble_manifest(manifest: Any, name: str) -> EnsembleManifest:
    """``manifest`` in types, if it has the form that the program writes.

    Parameters
    ----------
    manifest : object
        As it stands in the database or a file: anything.
    name : str
        Of the ensemble, for the message.

    Raises
    ------
    BrokenModelError
        Saying which ensemble is broken, what is wrong with it, and what to do.
    """
    if problem := ensemble_problem(manifest):
        raise BrokenModelError(broken_ensemble(name, f"its manifest is damaged: {problem}"))
    return cast(EnsembleManifest, manifest)


def broken_ensemble(name: str, problem: str) -> str:
    """The sentence on an ensemble that cannot be used."""
    return (
        f"Ensemble {name} is broken: {problem}; restore the workspace from a backup, or train or "
        "import the ensemble again under another name."
    )


def rule_of(manifest: EnsembleManifest, name: str, members: int) -> dict[str, Any]:
    """The rule of an ensemble of so many members, as its manifest has it.

    Raises
    ------
    BrokenModelError
        If there is none, or it joins another number of members.
    """
    rule = manifest.get("rule")
    if rule is None:
        raise BrokenModelError(broken_ensemble(name, "its manifest has no rule"))
    if len(rule["members"]) != members:
        problem = f"its rule fuses {len(rule['members'])} members, and it has {members}"
        raise BrokenModelError(broken_ensemble(name, problem))
    return cast(dict[str, Any], rule)


def model_problem(manifest: Any) -> str:
    """Return what is wrong with the manifest of a model; '' for nothing."""
    return _problem(_MODEL, manifest)


def check_model_manifest(manifest: Any, where: Path) -> dict[str, Any]:
    """``manifest`` if it has the form that the program writes.

    Parameters
    ----------
    where : Path
        Its file, for the message.

    Raises
    ------
    BrokenModelError
        Saying which file is damaged, what is wrong, and what to do.
    """
    if problem := model_problem(manifest):
        raise BrokenModelError(broken_model(where, f"is damaged: {problem}"))
    return cast(dict[str, Any], manifest)


def check_model_copy(manifest: Any, model_id: str) -> dict[str, Any]:
    """``manifest`` of a model as the database has it, if it has the form that the program writes.

    Raises
    ------
    BrokenModelError
        Saying which model is broken, what is wrong with it, and what to do.
    """
    if problem := model_problem(manifest):
        raise BrokenModelError(
            f"The copy of the manifest of model {model_id} in the database is damaged: {problem}; "
            "restore the workspace from a backup."
        )
    return cast(dict[str, Any], manifest)


@contextmanager
def models_of_ensemble(ensemble: str) -> Iterator[None]:
    """Name the ensemble in what is raised on models of it in the block.

    Raises
    ------
    BrokenModelError
        Where one of its models is missing or broken.
    """
    try:
        yield
    except (BrokenModelError, NotFoundError, DamagedError) as error:
        raise BrokenModelError(f"Ensemble {ensemble} is broken: {error}") from error


def broken_model(path: Path, problem: str) -> str:
    """The sentence on a file of a model that is not as it was written."""
    return f"{path} {problem}; train the model again, or restore its folder from a backup."


def _problem(form: TypeAdapter[Any], manifest: Any) -> str:
    if not isinstance(manifest, Mapping):
        return f"it is {_shown(manifest)}, no object"
    try:
        form.validate_python(manifest, strict=True)
    except ValidationError as error:
        return _in_words(error)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _in_words(error: ValidationError) -> str:
    """The first thing that is wrong: where, what was found, what should be there."""
    first = error.errors(include_url=False)[0]
    value = first["input"]
    parts = [str(p) for k, p in enumerate(first["loc"]) if not _is_tag(first["loc"][:k], p)]
    if first["type"] == "missing":
        return f"{'.'.join(parts)} is missing"
    if first["type"].startswith("union_tag"):  # fusion of a rule, kind of a model
        tag = first["ctx"]["discriminator"].strip("'")
        return f"{'.'.join([*parts, tag])} is {_shown(value.get(tag))}, which is unknown"
    wanted = first["msg"].removeprefix("Input should be ")
    return f"{'.'.join(parts)} is {_shown(value)}, not {wanted}"


def _is_tag(before: tuple[int | str, ...], part: int | str) -> bool:
    """Return whether part of a place is what pydantic tells the kinds of models and of rules apart
    by.
    """
    return (before == () and part in KINDS) or (before == ("rule",) and part in FUSIONS)


def _uneven(rule: Mapping[str, Any] | None) -> str:
    """Return what is wrong with the lengths of a rule's lists; '' for nothing."""
    if rule is None:
        return ""
    for name, calibration in [
        ("joint", rule["joint"]),
        *((f"members.{k}", c) for k, c in enumerate(rule["members"])),
    ]:
        knots, values = len(calibration["knots"]), len(calibration["values"])
        if knots != values or (calibration["method"] == "isotonic" and not knots):
            return f"rule.{name} has {knots} knots and {values} values"
    learned, n = rule.get("combiner") or {}, len(rule["members"])
    for name in {"weights", "thresholds"} & set(learned):
        if len(learned[name]) != n:
            return f"rule.combiner.{name} has {len(learned[name])} entries for {n} members"
    if "thresholds" in learned and [len(x) for x in learned["thresholds"]] != [
        len(y) for y in learned["values"]
    ]:
        return "rule.combiner has other numbers of thresholds than of values"
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
