"""The persistent world on disk."""
