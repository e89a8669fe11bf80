"""Learned depth, masks and words, for those who bring the weights; nothing here is ever downloaded."""
