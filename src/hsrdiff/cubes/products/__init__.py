"""Satellite products as their agencies deliver them: several files, read as one cube."""
