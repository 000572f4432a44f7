"""What kinds of events need beside what all have, one module each."""
