"""The one door for rows and clicks: recorded, undone, decided again, proved."""
