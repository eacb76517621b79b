from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import config as settings
from bot.config import Config, ConfigError, load


def wrong(folder: Path, text: str = "", env: dict[str, str] | None = None) -> str:
    (folder / "config.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as error:
        load(folder, env or {})
    return str(error.value)


def test_the_first_file_holds_every_key_with_its_default(tmp_path: Path) -> None:
    text = settings.default_text()
    (tmp_path / "config.toml").write_text(text, "utf-8")
    written = {key for key, _ in settings._flatten(tomllib.loads(text))}

    assert written == set(settings.all_keys()) - settings.secret_keys() | {"database.url"}
    assert load(tmp_path, {}) == load(tmp_path / "nowhere", {}).model_copy(
        update={"database": load(tmp_path, {}).database}
    )
    for number, line in enumerate(text.splitlines()):
        if line.startswith("["):
            assert number == 0 or text.splitlines()[number - 1] == ""


def test_no_file_at_all_is_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, {})

    assert config.web.host == "127.0.0.1"
    assert config.database.url == f"sqlite:///{tmp_path}/genjin.db"
    assert config.memo.required == ("customer",)


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    said = wrong(tmp_path, "[web]\nprot = 9000\n")

    assert "web.prot" in said
    assert "web.port" in said
    assert "9000" not in said


def test_an_unknown_variable_names_the_nearest(tmp_path: Path) -> None:
    said = wrong(tmp_path, env={"GENJIN_WEB__PROT": "geheim"})

    assert "GENJIN_WEB__PROT" in said
    assert "GENJIN_WEB__PORT" in said
    assert "geheim" not in said


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[web]\nport = 1\n[memo]\nundo_minutes = 3\n")
    env = {
        "GENJIN_WEB__PORT": "9000",
        "GENJIN_MEMO__REQUIRED": "customer, amount",
        "GENJIN_LLM__ENABLED": "true",
        "GENJIN_HOME": "elsewhere",
        "OTHER__KEY": "x",
    }

    config, origins = settings.load_with_origins(tmp_path, env)

    assert (config.web.port, config.memo.undo_minutes) == (9000, 3)
    assert config.memo.required == ("customer", "amount")
    assert config.llm.enabled is True
    assert origins["web.port"] == "GENJIN_WEB__PORT"
    assert origins["memo.undo_minutes"] == "config.toml"


def test_all_problems_are_told_at_once_and_no_value(tmp_path: Path) -> None:
    text = (
        '[web]\nport = "geheim1"\n[speech]\nbackend = "geheim2"\n[company]\nzone = "Mars/geheim3"\n'
    )

    said = wrong(tmp_path, text)

    assert len(said.splitlines()) == 3
    assert "geheim" not in said
    for key in ("web.port", "speech.backend", "company.zone"):
        assert key in said


@pytest.mark.parametrize(
    "text",
    [
        "[web\n",
        "web = 3\n",
        "[web]\nport = [1]\n",
        "[channels]\nwecom = 'x'\n",
        "[memo]\nrequired = 'x'\n",
    ],
)
def test_wrong_shapes_are_words_not_a_crash(tmp_path: Path, text: str) -> None:
    assert "config.toml" in wrong(tmp_path, text)


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes('[company]\nname = "华岳"\n'.encode("gb18030"))

    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path, {})


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[company]\nname = "华岳"\n', "utf-8-sig")

    assert load(tmp_path, {}).company.name == "华岳"


def secrets(folder: Path, text: str, mode: int = 0o600) -> None:
    path = folder / "secrets.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)


def test_secrets_come_from_their_own_file(tmp_path: Path) -> None:
    secrets(tmp_path, '[channels.wecom]\nsecret = "abc"\n')

    config = load(tmp_path, {})

    assert config.channels.wecom.secret == "abc"
    assert "abc" not in repr(config)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666])
def test_secrets_that_others_may_read_are_refused(tmp_path: Path, mode: int) -> None:
    secrets(tmp_path, '[channels.wecom]\nsecret = "geheim"\n', mode)

    said = wrong(tmp_path)

    assert f"{mode:04o}" in said
    assert "chmod 600" in said
    assert "geheim" not in said


def test_only_secrets_belong_into_their_file(tmp_path: Path) -> None:
    secrets(tmp_path, "[web]\nport = 9000\n")

    assert "web.port" in wrong(tmp_path)


@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_secret_may_come_from_a_file_of_its_own(tmp_path: Path, way: str) -> None:
    (tmp_path / "token").write_text("abc\n")
    env = {"GENJIN_CHANNELS__WECOM__TOKEN_FILE": str(tmp_path / "token")}
    if way == "file":
        env = {}
        (tmp_path / "config.toml").write_text('[channels.wecom]\ntoken_file = "token"\n')

    assert load(tmp_path, env).channels.wecom.token == "abc"


def test_a_secret_file_that_is_missing_is_named_by_its_key(tmp_path: Path) -> None:
    env = {"GENJIN_CHANNELS__WECOM__TOKEN_FILE": "/geheim/nowhere"}

    said = wrong(tmp_path, env=env)

    assert "channels.wecom.token" in said
    assert "geheim" not in said


def test_a_half_configured_channel_is_named_and_not_ready(tmp_path: Path) -> None:
    env = {
        "GENJIN_CHANNELS__WECOM__ENABLED": "true",
        "GENJIN_CHANNELS__WECOM__CORP_ID": "ww1",
        "GENJIN_CHANNELS__DINGTALK__ENABLED": "1",
        "GENJIN_CHANNELS__DINGTALK__CLIENT_ID": "d",
        "GENJIN_CHANNELS__DINGTALK__CLIENT_SECRET": "d",
    }

    config = load(tmp_path, env)

    assert config.half_configured() == {"wecom": ("agent_id", "secret", "token", "aes_key")}
    assert config.ready_channels() == ("dingtalk",)


def test_dingtalk_by_callback_needs_its_crypto_keys() -> None:
    channel = settings.DingTalk(enabled=True, client_id="d", client_secret="d", stream=False)

    assert channel.missing() == ("token", "aes_key")


@pytest.mark.parametrize(
    ("given_url", "full"),
    [
        ("postgresql://a:b@h/c", "postgresql+psycopg://a:b@h/c"),
        ("postgres://h/c", "postgresql+psycopg://h/c"),
        ("sqlite:///other.db", "sqlite:///{folder}/other.db"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_database_addresses_are_completed(tmp_path: Path, given_url: str, full: str) -> None:
    config = load(tmp_path, {"GENJIN_DATABASE__URL": given_url})

    assert config.database.url == full.format(folder=tmp_path)


def test_an_address_of_something_else_is_refused(tmp_path: Path) -> None:
    said = wrong(tmp_path, env={"GENJIN_DATABASE__URL": "mysql://a:geheim@h/c"})

    assert "database.url" in said
    assert "geheim" not in said


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().web.port = 1  # type: ignore[misc]


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=60))
def test_any_text_is_settings_or_an_error_in_words(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "config.toml").write_text(text, "utf-8", newline="")
    try:
        load(folder, {})
    except ConfigError as error:
        assert error.problems


def test_webhooks_of_groups_are_secrets_with_names(tmp_path: Path) -> None:
    env = {"GENJIN_CHANNELS__WECOM__WEBHOOKS": "华东=key-1, 华北=key-2"}

    found = load(tmp_path, env)

    assert found.channels.wecom.webhook_keys() == {"华东": "key-1", "华北": "key-2"}
    assert settings.holds_secret(found, "channels.wecom.webhooks")
    assert "key-1" not in repr(found)
    assert "key-1" not in wrong(tmp_path, env={"GENJIN_CHANNELS__WECOM__WEBHOOKS": "key-1"})
