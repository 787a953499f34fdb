"""proofs_check: claims that can fail, and the exact core that decides them."""
