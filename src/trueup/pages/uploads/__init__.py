"""Every batch: uploads, postbacks of an hour, imports of clicks, undos; and what can be done with each."""
