"""The parts of the page Frontier."""
