"""Hidden splits: probes without their labels, and a key for the scorer."""
