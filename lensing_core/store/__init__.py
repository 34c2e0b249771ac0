"""Where everything but pixels is kept: tables, migrations, and the queries that pages use."""

from lensing_core.store.database import Database, open_database

__all__ = ["Database", "open_database"]
