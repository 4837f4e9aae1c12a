"""Policies chosen from recorded rollouts: what each saves, and which successes it loses.

    unseen_forecasts.py     forecasts of recorded rollouts, by what did not learn from them
    foretold_rollouts.py    recorded rollouts with what was said after each turn
    stopped_runs.py         what stopping saves and loses, rollout by rollout
    measured_policies.py    shares of all rollouts, with intervals over instances
    calibration.py          the sequential test's threshold, and its guarantee
    policy_choice.py        the best threshold, or a test, tried on unseen instances
    policy_report.py        from a forecaster and a dataset to a report
    policy_tables.py        the report in a terminal
    policy_chart.py         the report as a picture

The policies themselves are data, and run beside an agent: `bagen_data/live/policies.py`.
"""
