"""What is shown, as small frozen choices that every view reads."""
