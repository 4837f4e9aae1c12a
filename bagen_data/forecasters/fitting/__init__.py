"""Fitting a forecaster: the rollouts it learns from, its scores, and the card that states them.

`teaching_data` is what is learned from; `built_data` reads it from a built dataset, and `log_data`
from logs, of which `chosen_rollouts` chooses. `unseen_scores` scores a forecaster on instances that
it has not seen, `known_limits` says what is wrong with it, `forecaster_card` writes its README, and
`fitted_forecaster` does all of it.
"""
