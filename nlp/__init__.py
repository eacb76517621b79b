"""Speech and language: sound to text, text to fields, behind the ports in ``nlp.ports``."""
