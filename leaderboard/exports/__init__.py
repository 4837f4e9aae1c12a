"""The leaderboard's results in the formats that others read."""
