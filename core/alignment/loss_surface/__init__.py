"""The surface that reward training walks on: of one comparison, of two weights, and of a whole transformer."""
