"""Files that are sent: where they stand, what was chosen for them, and how they become batches."""
