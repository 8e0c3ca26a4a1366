"""What was asked: the busy times of each model or session, and the idle gaps between."""
