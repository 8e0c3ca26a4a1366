"""What an experiment stands on: its server and models, whose they are, and the machine."""
