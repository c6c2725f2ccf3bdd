"""The sweeper: ends what no lease checker ended, and removes what no annex owns any more, in one Region of an account.

`inventory` lists, `seen`, `identity`, `orphan`, `expired`, `marks` and `plan` judge (pure), `removal` and `sweeping`
act. The sweeper is independent of every annex: it has its own function, role and schedule, and it only ever ends.
"""
