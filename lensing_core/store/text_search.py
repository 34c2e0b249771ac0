"""Text that a column holds, in capital or small letters, on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_ESCAPE = "/"


class _Holds(FunctionElement[bool]):
    """LIKE as SQLite has it, which takes a letter of ASCII for the same in either case."""

    name = "holds"
    type = Boolean()
    inherit_cache = True


@compiles(_Holds)
def _like(element: _Holds, compiler: SQLCompiler, **how: Any) -> str:
    return _written(element, compiler, "LIKE", how)


@compiles(_Holds, "postgresql")
def _ilike(element: _Holds, compiler: SQLCompiler, **how: Any) -> str:
    return _written(element, compiler, "ILIKE", how)


def _written(element: _Holds, compiler: SQLCompiler, verb: str, how: dict[str, Any]) -> str:
    column, pattern = (compiler.process(clause, **how) for clause in element.clauses)
    return f"({column} {verb} {pattern} ESCAPE '{_ESCAPE}')"


def holds_text(column: SQLColumnExpression[str], text: str) -> ColumnElement[bool]:
    """Return the condition that a column holds a text; its letters a-z count in either case."""
    for sign in (_ESCAPE, "%", "_"):
        text = text.replace(sign, _ESCAPE + sign)
    return _Holds(column, f"%{text}%")
