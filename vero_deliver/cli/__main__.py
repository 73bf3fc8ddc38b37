"""`python -m vero_deliver.cli`."""

from vero_deliver.cli import main

main()
