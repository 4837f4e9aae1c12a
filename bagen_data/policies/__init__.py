"""Policies chosen from recorded rollouts: what each saves, and which successes it loses.

foretold_rollouts.py    recorded rollouts with a forecast after each turn
calibration.py          the sequential test's threshold, and its guarantee
"""
