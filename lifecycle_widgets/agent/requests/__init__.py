"""What goes to the server for a run, and what comes back: metered, read leniently, stoppable."""
