"""Messages per second over SMTP, beside aiosmtplib and nodemailer, to one and the same sink."""
