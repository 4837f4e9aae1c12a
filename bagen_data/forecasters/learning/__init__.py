"""Parts that forecasters share: examples, columns of amounts, features, learners, predictions."""
