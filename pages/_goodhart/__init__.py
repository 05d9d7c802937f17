"""The parts of the page Goodhart."""
