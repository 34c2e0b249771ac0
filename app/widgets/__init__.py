"""Parts that several pages share: tables, sections, notices, numbers."""
