"""Parametric object kinds, one module a family."""
