"""The code of the lease checker's stand-in, put into the template as it is; nothing imports it."""
