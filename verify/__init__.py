"""Experiments on a real account: what only AWS can show, each as an assumption and what was seen instead of a guess.

`scripts/verify-account` runs them. `verify.session` leads through a run, `verify.experiments` has the experiments,
`verify.cleanup` removes everything that a run made, and `verify.watchdog` does so when the run itself was killed.
"""
