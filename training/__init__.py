"""Recipes that make the shipped models from rendered scenes."""
