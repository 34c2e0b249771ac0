"""From a table and image files of any common form to a catalog of the workspace."""
