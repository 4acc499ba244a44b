"""What a learner moves."""
