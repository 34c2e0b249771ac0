"""Members: networks and trees, their input contracts and their files."""
