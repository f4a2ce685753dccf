"""Files of other trackers become rows of our words: pure, and every broken line is that row's refusal."""
