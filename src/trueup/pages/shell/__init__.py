"""What all pages have in common: the frame around them, and the pieces they are made of."""
