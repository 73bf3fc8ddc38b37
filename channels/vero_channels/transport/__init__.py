"""What drivers share below the seam: SMTP sessions and files."""
