"""Account-wide sweeper of one Region: ends annexes that no lease checker ended, and removes orphans.

`inventory` lists the Region into `resources`. `expired` (annexes past their end), `orphan` (resources without an annex)
and `sweep_plan` decide, without AWS. `sweeper` carries the plan out with `removal`, and `sweep_report` says what was
done. `sweep_handler` is the entry point of the function, `sweep_settings` its environment. The function has its own
role, schedule and asset, and depends on no annex. It never starts anything.
"""
