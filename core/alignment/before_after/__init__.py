"""The reference beside the tuned policy: the same prompts, the same random numbers, in texts and in numbers."""
