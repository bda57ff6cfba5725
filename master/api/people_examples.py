"""Examples of the routes of people, for the API's description."""

from typing import Any, Final

from fastapi.openapi.models import Example

SETUP: Final[dict[str, Example]] = {
    "first": {
        "summary": "The first account",
        "value": {
            "token": "wJ0m3s7a9c5d1f8h2k4l6p0q3r5t7v9x1z2b4n6m8Q0",
            "username": "kim",
            "password": "three-unrelated-words",
            "display_name": "Kim",
        },
    }
}
LOGIN: Final[dict[str, Example]] = {
    "login": {
        "summary": "With a password",
        "value": {"username": "kim", "password": "three-unrelated-words"},
    }
}
PASSWORD: Final[dict[str, Example]] = {
    "change": {
        "summary": "A new one",
        "value": {"current": "three-unrelated-words", "new": "four-quite-different-words"},
    }
}
NEW_PASSWORD: Final[dict[str, Example]] = {
    "new": {"summary": "A new one", "value": {"new": "four-quite-different-words"}}
}
USER: Final[dict[str, Example]] = {
    "operator": {
        "summary": "Somebody who operates one namespace and sees all",
        "value": {
            "name": "lee",
            "display_name": "Lee",
            "roles": [
                {"role": "viewer", "namespaces": None},
                {"role": "operator", "namespaces": ["shop"]},
            ],
            "password": "three-unrelated-words",
        },
    }
}
TOKEN: Final[dict[str, Example]] = {
    "deploy": {
        "summary": "For a deployment",
        "value": {"name": "deploy", "role": "editor", "namespaces": ["shop"], "expires_in_days": 90},
    }
}

_ME: Final[dict[str, Any]] = {
    "name": "kim",
    "display_name": "Kim",
    "kind": "user",
    "roles": [{"role": "operator", "namespaces": ["shop"]}],
    "rights": [{"right": "see", "namespaces": ["shop"]}, {"right": "operate", "namespaces": ["shop"]}],
    "csrf_token": "5f0c6a4e1f6b4d2e9a7c3b8d1e2f4a6b5f0c6a4e1f6b4d2e9a7c3b8d1e2f4a6b",
    "session_expires_at": "2026-03-29T01:30:00Z",
    "source": "local",
}
_USER: Final[dict[str, Any]] = {
    "name": "lee",
    "display_name": "Lee",
    "roles": [{"role": "operator", "namespaces": ["shop"]}],
    "enabled": True,
    "source": "local",
    "created_at": "2026-03-01T09:00:00Z",
    "created_by": "kim",
    "last_login_at": "2026-03-29T01:00:00Z",
    "password_changed_at": "2026-03-01T09:00:00Z",
    "sessions": 1,
}
_TOKEN: Final[dict[str, Any]] = {
    "id": "k3x5h2m9w1abcd",
    "name": "deploy",
    "owner": "kim",
    "role": "operator",
    "namespaces": ["shop"],
    "created_at": "2026-03-01T09:00:00Z",
    "expires_at": "2026-05-30T09:00:00Z",
    "last_used_at": None,
    "expired": False,
}
_ONE: Final = {"count": 1, "is_exact": True}

#: By operation id.
ANSWERS: Final[dict[str, Any]] = {
    "auth_state": {
        "setup_needed": False,
        "signed_in": False,
        "server_time": "2026-03-01T09:00:00Z",
        "oidc": None,
        "password_min": 12,
        "checks": [],
    },
    "auth_setup": _ME,
    "auth_setup_token": {
        "token": "wJ0m3s7a9c5d1f8h2k4l6p0q3r5t7v9x1z2b4n6m8Q0",
        "expires_at": "2026-03-29T01:15:00Z",
        "path": "/welcome?token=wJ0m3s7a9c5d1f8h2k4l6p0q3r5t7v9x1z2b4n6m8Q0",
    },
    "auth_login": _ME,
    "auth_me": _ME,
    "list_users": {"items": [_USER], "next_page_token": None, "total": _ONE},
    "get_user": _USER,
    "save_user": _USER,
    "disable_user": {**_USER, "enabled": False, "sessions": 0},
    "enable_user": _USER,
    "sign_user_out": {"ended": 1},
    "list_tokens": {"items": [_TOKEN], "next_page_token": None, "total": _ONE},
    "create_token": {
        "token": "et_k3x5h2m9w1abcd_wJ0m3s7a9c5d1f8h2k4l6p0q3r5t7v9x1z2b4n6m8Q0",
        "info": _TOKEN,
    },
}
