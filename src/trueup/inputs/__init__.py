"""Machines come in: redirects, postbacks, pixels, the API, and the one writer that records what they bring."""
