"""The parts of the page Clinic."""
