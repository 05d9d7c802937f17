"""Reading PPO: what its curves, its objective, its rollouts and its single tokens say."""
