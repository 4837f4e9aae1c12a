"""What forecasters share: examples, columns of amounts, features, learners, answering a split."""
