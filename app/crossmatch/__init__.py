"""Cross-match: which candidates are known, and how complete the ranking is."""
