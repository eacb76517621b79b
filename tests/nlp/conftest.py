from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import settings

from tests.nlp.llm_fake import Model

# Tables load with the first example, and other work may have the processor: no example is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def model() -> Iterator[Model]:
    """An LLM server that answers what the test tells it to."""
    with closing(Model()) as made:
        yield made
