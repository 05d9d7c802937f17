"""The parts of the page Reward model."""
