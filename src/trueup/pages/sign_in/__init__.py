"""Coming in and going: by a password, or by a link that works once."""
