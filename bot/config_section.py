"""What every section of the settings shares."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

SECRET: Final = {"secret": True}
Secret = Annotated[str, Field(repr=False, json_schema_extra=SECRET)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
