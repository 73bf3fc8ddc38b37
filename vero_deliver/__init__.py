"""Write a message once, see exactly what each person will get, and get it there."""
