"""The process: one listener per source, one classifier, the outputs."""
