"""Asking a reward model what it learned: its mistakes, its tastes, how sure it is, and what single votes did to it."""
