"""What runs inside Spark workers: batch in, batch out, never drops a row, never raises for a row."""
