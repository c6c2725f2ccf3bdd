"""What a lease is: the record kept in tags, the pure decision, and the function that carries the decision out.

`contract`, `record`, `observed`, `actions` and `decision` are pure and need the standard library only. `gateway`,
`actuator` and `checker` talk to AWS and run in the lease checker's function. `handler` imports none of them before
it can report that the import failed. Nothing is imported here, so that one broken module cannot take the rest along.
"""
