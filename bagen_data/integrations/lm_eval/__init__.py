r"""BAGEN as tasks of the lm-evaluation-harness: `bagen_sokoban`, `bagen_searchr1`, and so on.

    lm_eval run --include_path "$(python -m bagen_data.integrations.lm_eval)" --tasks bagen \
        --model local-chat-completions --model_args model=NAME,base_url=URL --apply_chat_template

`--tasks bagen` runs all four, which ask for intervals. `bagen_sokoban_forecast` asks for a forecast
and `bagen_sokoban_point` for one number; `bagen_sokoban_start_point` asks for one number before the
agent's first turn. The groups `bagen_forecast`, `bagen_point` and `bagen_start_point` run all four
of these.

A group's row has the means over its tasks, as the overall scores of `bagen score`, and every score
its standard error: that of the cluster bootstrap over instances, `N/A` with fewer than ten.

`--metadata dataset=DIR` reads a dataset that was built here instead of the published one,
`--metadata dataset=ORG/NAME@REV` a revision of one on the Hub, and `--metadata
variant=forecast_no_think` sets whether a thought is asked for; by default it is as in the dataset.
An instruction-tuned model is asked with the recorded chat, so its template is needed; prompts
longer than a model's context are cut by some of the harness's backends.
"""
