"""The leaderboard: submissions in, scores and a static site out, rebuilt from nothing each time."""
