"""openai-whisper itself: the reference, and for machines where torch is there anyway."""

from __future__ import annotations

from nlp.audio import Samples
from nlp.ports import SAMPLE_RATE, Hints
from nlp.transcribe.engine import Heard
from nlp.transcribe.prompt import prompt
from nlp.transcribe.settings import WorkerSpec
from nlp.transcribe.vad import windows


class OpenAIWhisper:
    def __init__(self, spec: WorkerSpec) -> None:
        """Load from a file only: ``load_model`` takes a name for something to download.

        Raises:
            FileNotFoundError: there is no such file.
        """
        if spec.path is None or not spec.path.is_file():
            raise FileNotFoundError(f"no checkpoint at {spec.path}")
        import torch
        import whisper

        torch.set_num_threads(spec.threads)
        self.spec = spec
        self.model = whisper.load_model(str(spec.path), device=spec.settings.device)

    def hear(self, samples: Samples, hints: Hints) -> list[Heard]:
        shown = prompt(hints.names) if self.spec.takes_prompt else ""
        heard: list[Heard] = []
        spec = self.spec
        for start, end in windows(samples, longest_s=spec.window_s, join_pause_s=spec.join_pause_s):
            offset_s = start / SAMPLE_RATE
            result = self.model.transcribe(
                samples[start:end],
                language=hints.language or self.spec.settings.language,
                task="transcribe",
                temperature=0.0,
                condition_on_previous_text=False,
                initial_prompt=shown or None,
                # Half precision on a CPU is refused with a warning.
                fp16=self.spec.settings.device != "cpu",
                no_speech_threshold=None,
                logprob_threshold=None,
                compression_ratio_threshold=None,
                verbose=None,
            )
            heard += [
                Heard(
                    start_s=offset_s + float(s["start"]),
                    end_s=offset_s + float(s["end"]),
                    text=str(s["text"]).strip(),
                    avg_logprob=float(s["avg_logprob"]),
                    no_speech=float(s["no_speech_prob"]),
                    compression=float(s["compression_ratio"]),
                )
                for s in result["segments"]
            ]
        return heard
