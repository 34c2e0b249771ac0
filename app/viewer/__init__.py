"""The image viewer that Review and Label share, and the tiles that it draws."""
