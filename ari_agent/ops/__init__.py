"""For the admin: what is wrong and how it runs."""
