"""What pages explain: the glossary is its one source, and has every abbreviation that they show."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lens_triage.app.widgets.glossary import abbreviations, explained_terms, with_terms
from lens_triage.app.widgets.table import column
from lens_triage.training.settings import SETTINGS, fields

APP = Path(__file__).parents[3] / "app"
SHORT = re.compile(r"(?<![\w./%{&<=!-])(?:[A-Z]{2,}\d*|[SR][/@][N1]|θ_?E|κ|ΔBIC)(?![\w/(=]|-\d)")
EVERYBODY_KNOWS = {
    *("API", "CPU", "CSV", "FITS", "GB", "HTML", "ID", "IP", "JSON", "KB", "MB", "OK", "PDF"),
    *("PNG", "RGB", "SVG", "TB", "TLS", "TOKEN", "TOML", "URL", "UTC", "UUID", "ZIP"),
}
NAMES = {
    *("AAS", "CLASH", "COSMOS", "DES", "DOI", "DS9", "HDU", "HSC", "HST", "LRG", "MAST"),
    *("RELICS", "TOPCAT"),
}
"""Of surveys, telescopes, programs and publishers."""


def shown_texts() -> Iterator[tuple[str, str]]:
    """Strings of pages that hold words, with where they stand; docstrings are none."""
    for path in sorted(APP.rglob("*.py")):
        if path.parts[-2] in ("front", "http", "providers") or path.parent == APP:
            continue
        tree = ast.parse(path.read_text())
        silent = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in silent
                and not re.search(r"[{;]\s", node.value)
            ):
                yield str(path), node.value
    for path in sorted(APP.rglob("*.js")):
        if "bundles" not in path.parts:
            for quoted in re.findall(r'"([^"\n]+)"|`([^`]+)`', path.read_text()):
                yield str(path), "".join(quoted)


def test_every_abbreviation_of_a_page_stands_in_the_glossary():
    words = set(re.findall(r"[\w/@_]+|κ", " ".join(abbreviations())))
    known = words | EVERYBODY_KNOWS | NAMES
    missing = {
        f"{short} ({where})"
        for where, text in shown_texts()
        if " " in text
        for short in SHORT.findall(text)
        if short not in known
    }
    assert not missing, sorted(missing)


def test_every_abbreviation_of_a_form_stands_in_the_glossary():
    known = set(abbreviations()) | EVERYBODY_KNOWS | NAMES
    for kind in ("train", "retrain", "finetune", "encode", "score"):
        for field in fields(SETTINGS[kind]):
            found = set(SHORT.findall(field.help)) - known
            assert not found, f"{kind}.{field.name}: {found}"


def test_what_scripts_ask_the_glossary_for_is_there():
    asked = set()
    for path in (APP / "review").glob("*.js"):
        asked |= set(re.findall(r'of: "([^"]+)"|explained\("[^"]+", "([^"]+)"\)', path.read_text()))
    names = {"".join(pair) for pair in asked}
    assert len(names) > 4
    assert names <= set(explained_terms())


def test_an_abbreviation_is_explained_where_it_stands_first():
    assert with_terms("TPR0 & TPR0") == "<lt-term>TPR0</lt-term> &amp; TPR0"
    assert with_terms("Cohen's κ") == "<lt-term>Cohen&#x27;s κ</lt-term>"
    assert with_terms("<b>Recall at 1e-2</b>") == "&lt;b&gt;Recall at 1e-2&lt;/b&gt;"
    assert with_terms("FPR2 is none") == "FPR2 is none"
    assert "nat" in explained_terms()


def test_a_title_is_explained_by_the_glossary_or_else_by_its_help():
    assert "help" not in column("tpr0", "TPR0", help_text="other words")
    assert column("recall", "Recall", help_text="Share of lenses")["help"] == "Share of lenses"
    assert column("state", "State")["help"] == ""
