"""What a learner never opens: notebook runner and lint, doctor, measuring, reporting, command line."""
