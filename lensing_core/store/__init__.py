"""Where everything but pixels is kept: tables, migrations, and the queries that pages use."""

from sqlalchemy.orm import Session

from lensing_core.store.database import Database, choose_database, open_database

__all__ = ["Database", "Session", "choose_database", "open_database"]
