1 of 2 families has no rollout that can be used, so nothing was written:
  coding-origin-a: 4 refused: turn 1 has no usage (first: r0.json, r1.json, r2.json); expected input and output tokens >= 0; give --tokenizer or drop the rollout
correct what is refused, or build the other families with --allow-empty-families
