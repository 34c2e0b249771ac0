"""The workspace: one folder that holds everything the program writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lensing_core.errors import BadInputError, WorkspaceError
from lensing_core.private_files import make_private_folder, tighten

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_slug(name: str, *, what: str) -> str:
    """Return ``name`` if it can serve as a folder name; else say what is wrong with it.

    Raises
    ------
    BadInputError
        If the name is empty, too long, or has characters other than a-z, 0-9, ``.``, ``_``, ``-``.
    """
    if not _SLUG.fullmatch(name):
        raise BadInputError(
            f"{what} name {name!r}: use 1 to 63 characters of a-z, 0-9, '.', '_' and '-', "
            "beginning with a letter or digit."
        )
    return name


@dataclass(frozen=True)
class Workspace:
    """Paths below one root folder; nothing outside it is ever written.

    Use :meth:`create` for a new folder and :meth:`open` for one that exists.
    """

    root: Path

    @classmethod
    def create(cls, root: str | Path) -> Workspace:
        """Make the folder and its parts (existing parts are kept) and return the workspace."""
        path = Path(root).expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise WorkspaceError(f"{path} is a file; a workspace needs a folder.")
        workspace = cls(path)
        try:
            for folder in (
                workspace.root,
                workspace.cutouts,
                workspace.embeddings,
                workspace.models,
                workspace.runs,
                workspace.backups,
                workspace.surveys,
                workspace.cache,
            ):
                make_private_folder(folder)
        except OSError as error:
            raise WorkspaceError(f"{path} cannot be written: {error.strerror}.") from error
        workspace._tighten()
        return workspace

    @classmethod
    def open(cls, root: str | Path) -> Workspace:
        """Return the workspace at ``root``; raise if there is none."""
        workspace = cls(Path(root).expanduser().resolve())
        if not (workspace.database.is_file() or workspace.database_url_file.is_file()):
            raise WorkspaceError(
                f"{workspace.root} holds no workspace (no {workspace.database.name}); "
                f"make one with: lens-triage init {workspace.root}"
            )
        workspace._tighten()
        return workspace

    def _tighten(self) -> None:
        """Take the rights of others away, of workspaces that were made before this was so."""
        folders = (
            *(self.cutouts, self.embeddings, self.models, self.held_out, self.runs),
            *(self.backups, self.surveys, self.cache, self.cache / "exports"),
        )
        files = [
            *self.root.glob(f"{self.database.name}*"),
            *(
                self.root / name
                for name in (
                    *(".in-use", ".opening", ".serving", "secret", "database-url"),
                    *("services.toml", "backups.toml", "server.toml"),
                )
            ),
            *self.backups.glob("*"),
            *self.runs.glob("*"),
        ]
        root = () if self.root == Path.home() else (self.root,)
        tighten(self.root, (*root, *folders, *files))

    @property
    def database(self) -> Path:
        return self.root / "triage.sqlite"

    @property
    def database_url_file(self) -> Path:
        """Names a database on a server, which then is the workspace's, instead of a file."""
        return self.root / "database-url"

    @property
    def cutouts(self) -> Path:
        return self.root / "cutouts"

    @property
    def embeddings(self) -> Path:
        return self.root / "embeddings"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def held_out(self) -> Path:
        """Scores of the objects held out from each ensemble, for comparisons."""
        return self.root / "held_out"

    def training_sample(self, ensemble: str) -> Path:
        """File of the sample that an ensemble keeps of its training set."""
        return self.held_out / "training" / f"{check_slug(ensemble, what='Ensemble')}.npz"

    def reserved_set(self, catalog: str) -> Path:
        """Path of the frozen evaluation set of a catalog."""
        return self.held_out / "reserved" / f"{check_slug(catalog, what='Catalog')}.npz"

    def verified_cutouts(self, catalog: str) -> Path:
        """Path of the record of verified shards of a catalog, so that each is verified once."""
        return self.cache / "verified" / f"{check_slug(catalog, what='Catalog')}.json"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def surveys(self) -> Path:
        return self.root / "surveys"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def confine(self, path: str | Path) -> Path:
        """Return ``path`` (relative to the root) made absolute; refuse one that leaves the root."""
        absolute = (self.root / path).resolve()
        if not absolute.is_relative_to(self.root):
            raise WorkspaceError(f"{path} lies outside the workspace {self.root}.")
        return absolute

    def catalog_cutouts(self, catalog: str) -> Path:
        """Folder of a catalog's cutout shards."""
        return self.cutouts / check_slug(catalog, what="Catalog")
