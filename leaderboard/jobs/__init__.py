"""The leaderboard on Jobs of the Hub: on a schedule, or started by a webhook."""
