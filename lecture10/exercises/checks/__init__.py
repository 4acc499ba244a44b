"""What is true of every right answer: a function for each property; it raises `Broken` with the example."""
