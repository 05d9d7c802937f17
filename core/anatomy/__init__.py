"""Looking inside a language model: every intermediate value, computed from its own weights. Trains no policy."""
