"""Files of other trackers become rows in our words. It is pure, and a broken line becomes a refused row."""
