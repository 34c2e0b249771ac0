"""Storage of everything but pixels: tables, migrations, and queries."""

from sqlalchemy.orm import Session

from lensing_core.store.database import Database, choose_database, open_database

__all__ = ["Database", "Session", "choose_database", "open_database"]
