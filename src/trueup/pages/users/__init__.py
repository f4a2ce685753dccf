"""Who may sign in, for admins: invite, change roles, reset, remove."""
