"""The setup file, and every change of what a workspace is set up as."""
