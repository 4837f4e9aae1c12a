"""A made-up country: the corpus and the questions that Search-R1 is played with by default."""
