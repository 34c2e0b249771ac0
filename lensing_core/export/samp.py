"""SAMP, the bus by which TOPCAT, DS9 and Aladin pass tables, images and positions on.

One client serves the whole program. It is connected when someone asks for it and not before; that
no hub runs is a state like any other. Messages of others arrive in a thread of the client.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from pyvo.samp import SAMPClientError, SAMPHubError, SAMPIntegratedClient, SAMPProxyError

from lensing_core.errors import BadInputError

_NAME = "lens-triage"
_MOST_TABLES = 20
_SILENT = (SAMPHubError, SAMPClientError, SAMPProxyError, OSError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pointed:
    """Something that another program points at.

    Attributes
    ----------
    candidates : tuple of int
        Ids, where rows of a table were meant that this program had sent.
    position_deg : (float, float) or None
        Right ascension and declination, ICRS, where a position was meant.
    """

    candidates: tuple[int, ...] = ()
    position_deg: tuple[float, float] | None = None


Listener = Callable[[Pointed], None]


class SampLink:
    """A connection to a hub that may be there or not.

    Parameters
    ----------
    hub_lockfile : Path, optional
        Of the hub; without it the usual places are looked at.
    """

    def __init__(self, hub_lockfile: Path | None = None) -> None:
        self._lockfile = hub_lockfile
        self._client: SAMPIntegratedClient | None = None
        self._tables: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._listeners: list[Listener] = []
        self._lock = Lock()

    @property
    def connected(self) -> bool:
        """Return whether a hub is there and knows this program; asks it."""
        client = self._client
        if client is None:
            return False
        try:
            client.ping()
        except _SILENT:
            self.disconnect()
            return False
        return True

    def connect(self) -> bool:
        """Register with the hub; False where none runs."""
        if self.connected:
            return True
        client = SAMPIntegratedClient(
            name=_NAME,
            description="Find strong gravitational lenses in survey images",
            metadata={"samp.name": _NAME},
            addr="127.0.0.1",
            callable=True,
        )
        try:
            hub = None if self._lockfile is None else _read_lockfile(self._lockfile)
            client.connect(hub_params=hub, pool_size=4)
            for message in ("table.highlight.row", "table.select.rowList", "coord.pointAt.sky"):
                client.bind_receive_notification(message, self._notified)
                client.bind_receive_call(message, self._called)
        except _SILENT as error:
            _log.warning("No SAMP hub was reached: %r", error)
            return False
        self._client = client
        return True

    def disconnect(self) -> None:
        """Leave the hub."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.disconnect()
            except _SILENT:
                _log.info("The SAMP hub was gone before this program left it")

    def others(self) -> list[str]:
        """Names of the other programs on the bus."""
        if not self.connected or self._client is None:
            return []
        names = []
        try:
            for key in self._client.get_registered_clients():
                about = self._client.get_metadata(key)
                if not _is_hub(key, about):
                    names.append(about.get("samp.name", key))
        except _SILENT:
            return []
        return sorted(names)

    # -- to others ---------------------------------------------------------------------------------

    def send_table(self, path: Path, name: str, candidate_ids: Sequence[int]) -> int:
        """Offer a VOTable to all; its rows are known again when another program points at one.

        Returns
        -------
        int
            How many programs were told.

        Raises
        ------
        BadInputError
            If there is no connection.
        """
        table_id = f"lens-triage:{path.name}"
        with self._lock:
            self._tables[table_id] = tuple(candidate_ids)
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)
        fields = {"url": path.as_uri(), "table-id": table_id, "name": name}
        return self._send("table.load.votable", fields)

    def send_image(self, path: Path, name: str) -> int:
        """Offer a FITS image to all; as :meth:`send_table`."""
        fields = {"url": path.as_uri(), "image-id": f"lens-triage:{path.name}", "name": name}
        return self._send("image.load.fits", fields)

    def send_position(self, ra_deg: float, dec_deg: float) -> int:
        """Point all at a position (ICRS); as :meth:`send_table`."""
        return self._send("coord.pointAt.sky", {"ra": f"{ra_deg:.8f}", "dec": f"{dec_deg:.8f}"})

    def _send(self, message: str, fields: dict[str, str]) -> int:
        client = self._client
        if client is None or not self.connected:
            raise BadInputError("SAMP is not connected; press Connect while a hub runs.")
        try:
            return len(client.notify_all({"samp.mtype": message, "samp.params": fields}))
        except _SILENT as error:
            raise BadInputError(f"The SAMP hub did not take the message: {error}.") from error

    # -- from others -------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for what others point at; returns a function that stops that."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def _called(
        self,
        private_key: str,
        sender: str,
        message_id: str,
        message: str,
        fields: dict[str, Any],
        extra: dict[str, Any],
    ) -> None:
        self._notified(private_key, sender, message, fields, extra)
        if self._client is not None:
            self._client.reply(message_id, {"samp.status": "samp.ok", "samp.result": {}})

    def _notified(
        self,
        private_key: str,
        sender: str,
        message: str,
        fields: dict[str, Any],
        extra: dict[str, Any],
    ) -> None:
        try:
            pointed = self._read(message, fields)
        except (KeyError, TypeError, ValueError):
            _log.warning("%s sent a SAMP message %s that makes no sense", sender, message)
            return
        if pointed is None:
            return
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(pointed)

    def _read(self, message: str, fields: dict[str, Any]) -> Pointed | None:
        if message == "coord.pointAt.sky":
            ra, dec = float(fields["ra"]), float(fields["dec"])
            if not (0 <= ra <= 360 and -90 <= dec <= 90):
                raise ValueError
            return Pointed(position_deg=(ra % 360, dec))
        ids = self._rows_of(fields)
        if ids is None:
            return None  # a table of somebody else
        rows = fields["row-list"] if message == "table.select.rowList" else [fields["row"]]
        numbers = [int(row) for row in rows]
        return Pointed(candidates=tuple(ids[k] for k in numbers if 0 <= k < len(ids)))

    def _rows_of(self, fields: dict[str, Any]) -> tuple[int, ...] | None:
        """Candidates of a table by its id or, where a program made up its own, by its address."""
        with self._lock:
            known = self._tables.get(str(fields.get("table-id", "")))
            if known is None and fields.get("url"):
                name = Path(unquote(urlsplit(str(fields["url"])).path)).name
                known = self._tables.get(f"lens-triage:{name}")
        return known


def _is_hub(key: str, about: dict[str, str]) -> bool:
    """Return whether a client is the hub itself; hubs name themselves in their own ways."""
    return key == "hub" or "hub" in about.get("samp.name", "").lower().split()


def _read_lockfile(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {key: value for key, _, value in pairs if not key.startswith("#")}
