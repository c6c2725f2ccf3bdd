"""The code of the lease checker's responder, put into the template as it is; nothing imports it."""
