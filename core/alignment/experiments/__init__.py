"""Experiments on the whole loop: many small runs, each real, whose outcomes are laid side by side."""
