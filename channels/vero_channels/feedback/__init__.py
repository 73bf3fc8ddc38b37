"""Webhooks of providers, read into `vero_deliver.feedback.Feedback`."""
