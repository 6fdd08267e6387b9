"""A store in a file that only its owner may read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import attrs

from ...secrets import Secret
from ..credential import Credential
from .base import read_credential, replace_credential, to_store_path
from .file_base import TokenFileStore
from .private_files import read_private, unusable_file

__all__ = ["FileStore"]

_NAME_IN_FOLDER: Final = "tokens.json"


@attrs.frozen
class FileStore(TokenFileStore):
    """A store in a file, shared by all processes that name the same one.

    The file is written as a new one (readable by its owner only from the first moment, synced to the
    disk) that takes the place of the old: a crash leaves one or the other. Beside it lie lock files,
    which are empty; leave them there. The folder is made if it is missing, for its owner only.

    The locks are the operating system's advisory ones. On network file systems they hold as far as
    that file system passes them on.

    Args:
        path: The file, or an existing folder in which it is called ``tokens.json``; ``~`` is the home.
        patience: How many seconds to wait for another process that is refreshing the same credential.

    Raises:
        ConfigurationError: On use, if the file is a symbolic link, belongs to somebody else, may be
            read by others, can't be read or written, or holds something else.
    """

    path: Path = attrs.field(converter=to_store_path)
    patience: float = attrs.field(default=60.0, kw_only=True)

    def _token_file(self) -> Path:
        try:
            return self.path / _NAME_IN_FOLDER if self.path.is_dir() else self.path
        except OSError as error:  # such as a name that is too long
            raise unusable_file(self.path, "read", error) from None

    def _place(self, key: str) -> str:
        return f".{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    def _lock_patience(self) -> float:
        return self.patience

    def _read(self, key: str) -> Credential | None:
        file = self._token_file()
        return read_credential(read_private(file), key, where=str(file))

    def _parse(self, key: str, text: Secret) -> Credential | None:
        return read_credential(text, key, where=str(self._token_file()))

    def _text_with(self, key: str, credential: Credential | None) -> Secret:
        file = self._token_file()
        return replace_credential(read_private(file), key, credential, where=str(file))
