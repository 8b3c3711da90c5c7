"""The certificates of a custom CA, which programs look for under different names.

`requests` and `curl` read REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; Go, and with it wandb-core, and
Python's `ssl` read SSL_CERT_FILE. One of them is enough here.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from caduceus.errors import AccountError

_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")  # what OpenSSL looks for in a folder


def find_ca(variables: Mapping[str, str]) -> Path | None:
    """Return the file or folder of certificates that the first of the variables names.

    Args:
        variables: the environment.

    Raises:
        AccountError: it can't be read, or isn't of certificates.
    """
    for name in _VARIABLES:
        if variables.get(name):
            path = Path(variables[name])
            problem = _problem(path)
            if problem:
                raise AccountError(
                    f"names {path}, {problem}; name a file of PEM certificates, or unset it",
                    name,
                )
            return path.absolute()
    return None


def ca_variables(path: Path) -> dict[str, str]:
    """Return the variables by which `requests`, Go and Python read these certificates."""
    own = "SSL_CERT_DIR" if path.is_dir() else "SSL_CERT_FILE"
    return {"REQUESTS_CA_BUNDLE": str(path), own: str(path)}


def _problem(path: Path) -> str:
    import ssl  # takes longer than all else here, and most environments name no certificates

    try:
        if path.is_dir():
            if not any(_HASHED.fullmatch(each.name) for each in path.iterdir()):
                return "a folder without certificates under the names that `openssl rehash` gives"
        else:
            ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "which has no certificate"
    except (OSError, ValueError) as error:
        return f"which can't be read: {getattr(error, 'strerror', None) or error}"
    return ""
