"""Overview: what is in the workspace, what runs, and what to do next."""
