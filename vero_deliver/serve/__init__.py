"""What answers on the web: links in mails, and providers' webhooks. ASGI, without a framework."""
