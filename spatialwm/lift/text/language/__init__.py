"""Words to scene graph: parsing, vocabulary, implied objects."""
