"""A receipt for each of many people: what one message costs, beside peers and the RSA operation."""
