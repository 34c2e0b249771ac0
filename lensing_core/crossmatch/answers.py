"""Answers of services, saved in the workspace: one file a request and time, never changed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lensing_core.disk import replacing

_TIME_FORMAT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True)
class Answer:
    """Objects that a service found near positions of a request; lists of one length.

    Attributes
    ----------
    names : list of str
    ra_deg, dec_deg : list of float
        ICRS, degrees.
    error_arcsec : list of float or None
        Along one axis; None where the service gives none.
    columns : dict of str to list
        All that the service says, as plain JSON values.
    """

    names: list[str]
    ra_deg: list[float]
    dec_deg: list[float]
    error_arcsec: list[float | None]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.names)


EMPTY = Answer([], [], [], [], {})


class AnswerCache:
    """Answers by request, below one folder.

    Parameters
    ----------
    folder : Path
    not_before : datetime, optional
        Answers of an earlier time are not used; for asking anew.
    """

    def __init__(self, folder: Path, not_before: datetime | None = None) -> None:
        self._folder = folder
        self._not_before = not_before

    @staticmethod
    def key(request: Mapping[str, Any]) -> str:
        """Hash of a request (plain JSON)."""
        text = json.dumps(request, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, request: Mapping[str, Any]) -> tuple[Answer, datetime] | None:
        """The newest answer to a request, and when it was given."""
        key = self.key(request)
        for path in sorted(self._folder.glob(f"{key}-*.json.gz"), reverse=True):
            cutout = path.name.removeprefix(f"{key}-").removesuffix(".json.gz")
            when = datetime.strptime(cutout, _TIME_FORMAT).replace(tzinfo=UTC)
            if self._not_before is not None and when < self._not_before:
                return None
            stored = json.loads(gzip.decompress(path.read_bytes()))
            return Answer(**stored["answer"]), when
        return None

    def kept(self, **wanted: Any) -> Iterator[tuple[Mapping[str, Any], Answer]]:
        """All kept requests that have these values, with their answers, in no order."""
        for path in sorted(self._folder.glob("*.json.gz")):
            stored = json.loads(gzip.decompress(path.read_bytes()))
            request = stored["request"]
            if all(request.get(name) == value for name, value in wanted.items()):
                yield request, Answer(**stored["answer"])

    def put(self, request: Mapping[str, Any], answer: Answer) -> datetime:
        """Keep an answer; a file appears whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        path = self._folder / f"{self.key(request)}-{now.strftime(_TIME_FORMAT)}.json.gz"
        data = json.dumps({"request": dict(request), "answer": asdict(answer)}).encode()
        with replacing(path) as part, part.open("wb") as stream:
            stream.write(gzip.compress(data, mtime=0))
            stream.flush()
            os.fsync(stream.fileno())
        return now
