"""Making of the small language models in ``nlp/learned``."""
