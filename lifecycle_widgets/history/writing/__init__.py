"""What is written, by whom of several, and when."""
