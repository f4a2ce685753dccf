"""Where visitors and networks come in: redirects, postbacks, pixels."""
