"""Recipe of ``demo-voice``: a tiny Whisper checkpoint that only knows espeak's Mandarin.

See MODEL_CARD.md beside this file.  Nothing here runs in the product.
"""
