"""Help: the guides, the method pages and the glossary, as they come with the program."""
