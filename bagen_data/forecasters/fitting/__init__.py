"""Fit a forecaster of one's own: what it learns from, how good it is, and the card that says so.

`teaching_data` holds what is learned from; `built_data` reads it from a built dataset and
`log_data` from logs. `unseen_scores` scores a forecaster on instances that it has not seen,
`model_card` writes its README, and `fitted_folder` does all of it.
"""
