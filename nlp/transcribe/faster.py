"""Whisper weights on CTranslate2 (faster-whisper): int8 on a CPU, no torch."""

from __future__ import annotations

from nlp.audio import Samples
from nlp.ports import SAMPLE_RATE, Hints
from nlp.transcribe.engine import Heard
from nlp.transcribe.prompt import prompt
from nlp.transcribe.settings import WorkerSpec
from nlp.transcribe.vad import windows


class FasterWhisper:
    def __init__(self, spec: WorkerSpec) -> None:
        """Load from a folder only: a name, or a missing tokenizer.json, would go to the network.

        Raises:
            FileNotFoundError: the folder is not complete.
        """
        from faster_whisper import WhisperModel

        if spec.path is None or not (spec.path / "model.bin").is_file():
            raise FileNotFoundError(f"no CTranslate2 model in {spec.path}")
        if not (spec.path / "tokenizer.json").is_file():
            raise FileNotFoundError(f"no tokenizer.json in {spec.path}")
        self.spec = spec
        device = spec.settings.device
        self.model = WhisperModel(
            str(spec.path),
            device=device,
            compute_type="int8" if device == "cpu" else "int8_float16",
            cpu_threads=spec.threads,
            num_workers=1,
            local_files_only=True,
        )

    def hear(self, samples: Samples, hints: Hints) -> list[Heard]:
        shown = prompt(hints.names) if self.spec.takes_prompt else ""
        heard: list[Heard] = []
        spec = self.spec
        for start, end in windows(samples, longest_s=spec.window_s, join_pause_s=spec.join_pause_s):
            offset_s = start / SAMPLE_RATE
            segments, _ = self.model.transcribe(
                samples[start:end],
                language=hints.language or self.spec.settings.language,
                task="transcribe",
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                initial_prompt=shown or None,
                # Our own filters decide, the same for every backend.
                no_speech_threshold=None,
                log_prob_threshold=None,
                compression_ratio_threshold=None,
                vad_filter=False,
            )
            heard += [
                Heard(
                    start_s=offset_s + s.start,
                    end_s=offset_s + s.end,
                    text=s.text.strip(),
                    avg_logprob=s.avg_logprob,
                    no_speech=s.no_speech_prob,
                    compression=s.compression_ratio,
                )
                for s in segments  # lazy: errors appear here
            ]
        return heard
