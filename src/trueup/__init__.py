"""Trueup: a conversion tracker whose numbers agree with the network's."""

__version__ = "0.1.0"
