"""Workers killed at random, over providers that fail at random: what is lost, what goes twice."""
