"""Voice memos to text.  ``build_transcriber`` is all that the rest of the program needs."""

from nlp.transcribe.build import build_transcriber
from nlp.transcribe.late import LateModel
from nlp.transcribe.settings import FilterSettings, SpeechSettings

__all__ = ["FilterSettings", "LateModel", "SpeechSettings", "build_transcriber"]
