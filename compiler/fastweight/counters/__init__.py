"""Counters of the fast-weight family: sums, reflections, halves, pairs of columns, bits; and what is made of them."""
