"""Moments are sums: of parts of the data, in any order, on any number of machines."""
