"""The parts of the page Loss surface."""
