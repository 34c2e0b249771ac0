"""Alembic environment: runs migrations on the engine that the program has opened."""

from typing import Any, Literal

from alembic import context

from lensing_core.store.tables import Base
from lensing_core.store.tables.base import UTCDateTime


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write our own column type by its name (the script template imports it)."""
    return "UTCDateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
