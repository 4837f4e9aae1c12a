"""Train estimators: SFT, then GRPO, with TRL on Accelerate; evaluate them; sweep over settings."""
