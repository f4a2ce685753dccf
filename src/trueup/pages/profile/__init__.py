"""What a person sets for themselves: name, password, colours, sessions."""
