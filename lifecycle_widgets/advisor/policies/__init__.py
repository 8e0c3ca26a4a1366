"""Policies: from past gaps to the next keep_alive, one file each."""
