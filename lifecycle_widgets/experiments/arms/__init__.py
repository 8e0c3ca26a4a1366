"""The same calls under one keep_alive or setting each: side by side, or one after the other."""
