"""The selection function of a search in a workspace: what is measured, drawn and exported."""
