"""Everything that is left of an annex in AWS, or the proof that nothing is."""
