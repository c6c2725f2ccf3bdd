"""The sweeper of one Region as a construct, with its role and its alarms."""
