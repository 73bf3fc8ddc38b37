"""Django's mail over a project's channel: EMAIL_BACKEND = "vero_deliver.django.mail.Backend"."""
