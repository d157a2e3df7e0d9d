"""The agents that need no file: their programs, as they are called and as they are talked to."""

from __future__ import annotations

from typing import Final

from collab_tui.sessions.definitions import Definition, DriverKind

_NETWORK: Final = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
)
"""How the network is reached from this machine."""
_ANTHROPIC: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL")
_OPENAI: Final = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
_GOOGLE: Final = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"),
    *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"),
)
_CLOUDS: Final = (
    *("CLAUDE_CODE_USE_BEDROCK", "AWS_REGION", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
    *("CLAUDE_CODE_USE_VERTEX", "ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION", "GOOGLE_APPLICATION_CREDENTIALS"),
)
"""Where Claude is reached through a cloud. A key for the whole of an account, `AWS_SECRET_ACCESS_KEY`, is no agent's
unless a definition of the user names it."""
_CLAUDE: Final = (
    *(*_ANTHROPIC, *_CLOUDS, *_NETWORK),
    *("CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_GIT_BASH_PATH"),
)
_CODEX: Final = (*_OPENAI, "CODEX_API_KEY", "CODEX_HOME", *_NETWORK)
_CLAUDE_LOOKS: Final = ("--tools=Read,Glob,Grep",)
_CODEX_LOOKS: Final = ("-c", 'sandbox_mode="read-only"')

BUILT_IN: Final = {
    definition.name: definition
    for definition in (
        Definition(
            "claude",
            DriverKind.CLAUDE,
            ("claude",),
            read_only=_CLAUDE_LOOKS,
            environment=_CLAUDE,
        ),
        Definition(
            "claude-terminal",
            DriverKind.TERMINAL,
            ("claude",),
            read_only=_CLAUDE_LOOKS,
            resume=("--resume", "{id}"),
            environment=_CLAUDE,
            ready=(r"^\s*❯",),
            busy=(r"esc to interrupt",),
            dialog=(r"^\s*❯ \d+\. ",),
            is_multiline=True,
        ),
        Definition(
            "codex",
            DriverKind.CODEX,
            ("codex",),
            read_only=_CODEX_LOOKS,
            environment=_CODEX,
        ),
        Definition(
            "codex-terminal",
            DriverKind.TERMINAL,
            ("codex", "--no-daemon"),
            read_only=_CODEX_LOOKS,
            resume=("resume", "{id}"),
            environment=_CODEX,
            ready=(r"^\s*›",),
            busy=(r"esc to interrupt",),
            dialog=(r"^\s*› \d+\. ",),
            is_multiline=True,
        ),
        Definition("gemini", DriverKind.ACP, ("gemini", "--acp"), read_only=(), environment=(*_GOOGLE, *_NETWORK)),
        Definition(
            "copilot",
            DriverKind.ACP,
            ("copilot", "--acp"),
            read_only=(),
            environment=("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "COPILOT_HOME", *_NETWORK),
        ),
        Definition(
            "opencode",
            DriverKind.ACP,
            ("opencode", "acp"),
            read_only=(),
            environment=(*_ANTHROPIC, *_OPENAI, *_GOOGLE, "OPENCODE_CONFIG", *_NETWORK),
        ),
    )
}
"""By name."""
