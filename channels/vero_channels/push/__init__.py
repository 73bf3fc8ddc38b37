"""Push drivers, one file each, and the payload they share."""
