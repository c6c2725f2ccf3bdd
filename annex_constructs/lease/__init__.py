"""The lease of an annex as constructs: what is declared, the checker that keeps it, its responder and its alarms."""
