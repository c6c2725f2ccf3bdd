"""The operator's side of an annex: the `annex` command (`annex_pool.cli`).

Rooms: `commands` holds the options and the printing of each command, and one module a verb does the work (`plan`,
`credential`, `extend`, `renew`, `stop`, `status`, `check`). `leftovers` proves that nothing is left in AWS. annex_lease
alone computes when a lease ends.
"""
