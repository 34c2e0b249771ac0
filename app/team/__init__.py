"""Team: consensus, skill of graders, and the rounds of the loop."""
