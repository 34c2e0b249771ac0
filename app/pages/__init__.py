"""The pages: each composes components and holds no logic of its own."""
