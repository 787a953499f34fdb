"""The library of claims: one module a claim, each exporting ``CLAIM``."""
