"""Robots: their descriptions as objects on joints, and what asks their motors for positions."""
