"""Real-valued data: moments in one pass, and least squares from them."""
