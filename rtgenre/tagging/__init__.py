"""Tagging a library: many files judged on all cores or on a cluster, into one table."""
