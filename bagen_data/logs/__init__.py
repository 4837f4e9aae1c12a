"""Rollouts as their logs tell them, and how logged turns become turns with usage."""
