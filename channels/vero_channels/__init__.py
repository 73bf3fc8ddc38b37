"""The channel drivers: one file each, in the wing of what they carry."""
