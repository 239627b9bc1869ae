"""Where the pepper comes from: the configuration, else a file of the data folder, made at the first start.

It must not lie in the database, since it is what keeps a stolen database from logging anyone in.
"""

from __future__ import annotations

import os
from pathlib import Path

from crossbar.config import Config
from crossbar.ids import new_secret

FILE = "pepper"


def pepper_secret(config: Config) -> str:
    """The secret under which passwords, API keys and private keys are kept."""
    return config.security.password_pepper or _from_file(config.server.data / FILE)


def _from_file(path: Path) -> str:
    """Read the file, or make it. Of several processes that make it at once, one wins and all read the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
