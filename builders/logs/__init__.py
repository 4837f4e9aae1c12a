"""What a rollout is as its log tells it, and how its turns become turns with usage."""
