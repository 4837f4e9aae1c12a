"""Other people's harnesses, on the same parser and the same scores."""
