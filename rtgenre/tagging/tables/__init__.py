"""The table that songs are written to: CSV, JSON lines or Parquet, by the file's ending."""
