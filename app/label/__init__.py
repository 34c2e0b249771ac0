"""Label: sessions, and the view in which candidates are graded."""
