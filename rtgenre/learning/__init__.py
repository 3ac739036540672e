"""Own genres, learnt from embeddings of labelled songs."""
