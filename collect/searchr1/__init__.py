"""Search-R1, played: questions, a library to search, an environment and a scripted searcher."""
