"""The studio, as people use it: in a browser, on a project on disk."""
