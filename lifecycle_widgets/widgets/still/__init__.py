"""What stays of a widget where no kernel answers: words, tables and pictures."""
