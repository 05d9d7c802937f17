"""The parts of the page PPO."""
