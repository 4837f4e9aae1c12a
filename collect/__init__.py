"""Record origin rollouts: environments, agents that play them, and families on disk."""
