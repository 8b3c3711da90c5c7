"""Names of people, machines and places, and the patterns by which they are found in a text.

Which forms of a name are looked for:

- An address of e-mail: also with `%40` or `at` for its sign. What stands before the sign too, and
  its domain, unless a public provider has it.
- The name of a person with several parts: the parts in both orders, with any separators, with or
  without middle names, and with initials of given names. A given or family name alone isn't.
- One word, such as that of a user, a host or an entity: as a whole word, in any case of letters.
- A folder: its path, from two parts on. A remote: its address without scheme, user and `.git`, and
  its owner.

Names that everybody has, such as root or localhost, aren't looked for. A word of two letters, or
one that Caduceus's own files have, such as max, is looked for only where it names somebody: in a
path of a home folder, before or after @, in an address, or after a key such as `user:`.
"""

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_GENERIC = frozenset(
    (
        *("root", "admin", "administrator", "user", "users", "username", "ubuntu", "debian"),
        *("centos", "fedora", "ec2-user", "opc", "azureuser", "vagrant", "docker", "guest"),
        *("test", "tester", "nobody", "daemon", "runner", "jovyan", "vscode", "codespace"),
        *("coder", "colab", "kaggle", "sandbox", "anonymous", "noreply", "nologin", "default"),
        *("system", "home", "work", "workspace", "localhost", "localhost.localdomain"),
        *("localdomain", "local", "none", "null", "unknown", "host", "hostname", "computer"),
        *("desktop", "laptop", "server", "machine", "container", "github", "gitlab", "bitbucket"),
        *("info", "contact", "hello", "mail", "git", "www", "example", "com", "org", "net", "edu"),
    )
)
# Hosts of a cluster are pseudonyms already: `node07`, `gpu-3`, `c1-12`.
_NUMBERED = re.compile(
    r"(?:gpu|cpu|node|nid|worker|compute|cn|gn|n|c|g|rank|pod|job|vm)[-_]?[\d-]*"
)
_PROVIDERS = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com"),
        *("icloud.com", "me.com", "protonmail.com", "proton.me", "gmx.de", "gmx.net", "web.de"),
        *("qq.com", "163.com", "126.com", "users.noreply.github.com", "noreply.github.com"),
        *("github.com", "gitlab.com", "bitbucket.org", "huggingface.co", "example.org"),
        *("example.com", "codeberg.org", "wandb.ai", "localdomain", "local"),
    )
)
_MACHINE_ADDRESS = re.compile(r"(?i)(?:no-?reply|git|.*\[bot\].*)@.*")
_SPELLED = {  # letters without a part that is an accent
    "ß": ("ss",),
    "ø": ("o", "oe"),
    "æ": ("ae",),
    "œ": ("oe",),
    "å": ("aa",),
    "ł": ("l",),
    "đ": ("d", "dj"),
    "ð": ("d",),
    "þ": ("th",),
    "ı": ("i",),
}
_LEAST = 3  # letters of a word that is looked for everywhere
_SEPARATOR = r"(?:[\s_.,+'\"/:;-]|%20|&nbsp;|\\n" "|\u00a0){0,6}"
_SIGN = r"(?:@|%40|&#64;|\s?[\[(]?\bat\b[\])]?\s?)"
_SLASH = r"(?:/|%2[Ff]|\\+)"
# A word begins after an escape of JSON, too, such as that of a line's end, and after a colour.
_BEFORE = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbfv])|(?<=\[m)|(?<=[\[;][0-9]m)|(?<=[\[;][0-9]{2}m)"
    r"|(?<=;[0-9]{3}m))"
)
_AFTER = r"(?![A-Za-z0-9])"
_KEY = (
    r"(?:user(?:_?name)?|login|logname|owner|authors?|maintainers?|contact|creator|host(?:_?name)?"
    r"|nodename|entity|account)[\"']?\s*[:=(]\s*[\"'(]?"
)
_FAMILY_KEY = r"(?:family|last|sur)[-_ ]?names?[\"']?\s*[:=]\s*[\"']?"
_SITES = r"(?:github|gitlab|bitbucket|codeberg|wandb|huggingface)[a-z.]*[/:]"


@dataclass(frozen=True)
class Name:
    """A name that an anonymous archive must not have.

    Attributes:
        kind: user, host, entity, email, domain, author, folder, remote, gpu or organization.
        text: the name.
        source: who uses it, for messages.
    """

    kind: str
    text: str
    source: str

    @property
    def key(self) -> str:
        """Equal for two spellings of one name."""
        folded = unicodedata.normalize("NFC", self.text).casefold()
        return " ".join(sorted(_parts(folded))) if self.kind == "author" else folded


def known(kind: str, text: str, source: str) -> Iterator[Name]:
    """Yield a name and the names that are part of it; none of one that everybody has."""
    text = text.strip()
    if len(text) < 2 or _is_generic(text):
        return
    if kind == "author":
        if "[bot]" not in text:
            yield Name("author" if len(_parts(text)) > 1 else "user", text, source)
    elif kind == "email":
        local, _, domain = text.rpartition("@")
        if local and domain and not _MACHINE_ADDRESS.fullmatch(text):
            yield Name("email", text, source)
            yield from _domain(domain, source)
            # As of 123+name@users.noreply.github.com, and of name+list@example.org.
            box = next((part for part in local.split("+") if not part.isdigit()), "")
            if len(box) >= _LEAST and not _is_generic(box):
                yield Name("user", box, source)
    elif kind == "host":
        short, _, domain = text.partition(".")
        yield Name("host", text, source)
        if domain and not text.replace(".", "").isdigit():
            if not _is_generic(short) and len(short) > 1:
                yield Name("host", short, source)
            yield from _domain(domain, source)
    elif kind == "remote":
        yield from _remote(text, source)
    elif kind == "folder":
        yield from _folder(text, source)
    else:
        yield Name(kind, text, source)


def _is_generic(text: str) -> bool:
    folded = text.casefold()
    return folded in _GENERIC or _NUMBERED.fullmatch(folded) is not None


def _domain(domain: str, source: str) -> Iterator[Name]:
    if "." in domain and domain.casefold() not in _PROVIDERS and not domain.endswith(".internal"):
        yield Name("domain", domain, source)


def _remote(text: str, source: str) -> Iterator[Name]:
    """Yield the address of a repository without scheme and user, and its owner."""
    if "://" in text:
        address = urlsplit(text)
        host, path = address.hostname or "", address.path
    else:  # as ssh has it, or a path
        host, _, path = text.rpartition("@")[2].partition(":")
        if not path:
            host, path = "", text
    path = path.strip("/").removesuffix(".git")
    if not host:
        yield from _folder(f"/{path}", source)
        return
    yield Name("remote", f"{host}/{path}".rstrip("/"), source)
    owner = path.partition("/")[0]
    if "/" in path and len(owner) > 1 and not _is_generic(owner):
        yield Name("user", owner, source)
    if host.casefold() not in _PROVIDERS and "." in host:
        yield Name("domain", host, source)


def _folder(text: str, source: str) -> Iterator[Name]:
    parts = [part for part in re.split(r"[/\\]+", text) if part]
    homes = ("home", "users")
    if len(parts) > 1 and parts[-2].casefold() in homes:
        if not _is_generic(parts[-1]):
            yield Name("user", parts[-1], source)
    elif len(parts) > 1:
        yield Name("folder", text.rstrip("/\\"), source)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s._,-]+", text) if part]


def is_common(name: Name, common: Container[str]) -> bool:
    """Whether a name is one word that is looked for only where it names somebody.

    Args:
        name: the name.
        common: words, in small letters, that are too common to be looked for everywhere.
    """
    if name.kind in ("email", "author", "folder", "remote", "domain", "gpu"):
        return False
    is_word = len(name.text.split()) == 1
    return is_word and (len(name.text) < _LEAST or name.text.casefold() in common)


def spelling(name: Name) -> str:
    """Return the regular expression of a name within other letters."""
    if name.kind == "author":
        return _person(_parts(name.text))
    return r"\s+".join(map(_spelled, name.text.split()))


def parts_of_person(text: str) -> list[str]:
    """Return the given and family names of a person that aren't initials; none of one word."""
    parts = _parts(text)
    return [part for part in parts if len(part) >= _LEAST] if len(parts) > 1 else []


def part_of_person(part: str) -> str:
    """Return the regular expression of a given or family name alone."""
    capital = part[0].upper()
    spelled = "|".join({_spelled(capital + part[1:]), _spelled(part.upper())})
    return f"{_BEFORE}(?:{spelled}){_AFTER}"


def pattern(name: Name, common: Container[str]) -> str:
    """Return the regular expression that finds a name; its last group is the name.

    Args:
        name: the name.
        common: words, in small letters, that are too common to be looked for everywhere.
    """
    if name.kind == "email":
        local, _, domain = name.text.rpartition("@")
        return rf"(?<![\w+-])({_spelled(local)}{_SIGN}{_spelled(domain)}){_AFTER}"
    if name.kind == "author":
        return f"{_BEFORE}({spelling(name)}){_AFTER}"
    if name.kind == "folder":
        inner = _SLASH.join(_spelled(part) for part in re.split(r"[/\\]+", name.text) if part)
        start = _SLASH if name.text.startswith(("/", "\\")) else ""
        return rf"({start}{inner})(?![\w-])"
    if name.kind == "remote":
        host, _, path = name.text.partition("/")
        inner = _SLASH.join(map(_spelled, path.split("/")))
        return rf"({_spelled(host)}(?::\d+)?[/:]{inner}){_AFTER}" if path else f"({_spelled(host)})"
    if name.kind in ("domain", "gpu"):
        return f"{_BEFORE}({_spelled(name.text)}){_AFTER}"
    word = spelling(name)
    if is_common(name, common):
        return "|".join(
            (
                rf"(?:/home/|/users/|\\users\\+|~)({word}){_AFTER}",
                rf"(?<![\w.])({word})@[A-Za-z]",
                rf"@({word})(?![\w.])",
                rf"{_KEY}({word}){_AFTER}",
                rf"{_SITES}({word})/",
            )
        )
    return f"{_BEFORE}({word}){_AFTER}"


def anchor(name: Name) -> str:
    """Return small letters that every text with the name has; may be empty."""
    text = _parts(name.text)[-1] if name.kind == "author" else name.text  # a given name may lack
    text = re.sub(r"[^\x00-\x7f]", " ", text.lower())
    return max(re.findall(r"[a-z0-9]+", text), key=len, default="")


def _person(parts: list[str]) -> str:
    """Return the pattern of a name with several parts, the last of which is the family's."""
    *given, last = parts
    first = [f"(?:{_spelled(part)}|{_spelled(part[0])}[.])" for part in given]
    family, every = _spelled(last), _SEPARATOR.join(first)
    forms = [f"{every}{_SEPARATOR}{family}", f"{family}{_SEPARATOR}{every}"]
    if len(given) > 1:
        middle = rf"(?:{_SEPARATOR}[A-Za-z][.])?"
        forms += [f"{first[0]}{middle}{_SEPARATOR}{family}", f"{family}{_SEPARATOR}{first[0]}"]
    else:
        forms += [f"{first[0]}\\s[A-Z][.]?\\s{family}"]
    return "|".join([*forms, f"{_FAMILY_KEY}{family}"])


def _spelled(text: str) -> str:
    """Return a pattern of a text in which letters with accents may lack them."""
    return "".join(_letter(each) for each in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if letter.isascii():
        return re.escape(letter)
    parted = unicodedata.normalize("NFD", letter)
    bare = "".join(each for each in parted if not unicodedata.combining(each))
    forms = {letter, letter.upper(), letter.lower(), parted, bare}
    forms |= {f"{bare}e"} if letter in "äöüÄÖÜ" else {*_SPELLED.get(letter.lower(), ())}
    listed = sorted(map(re.escape, forms), key=len, reverse=True)
    if letter.lower() in _SPELLED:
        listed.append(r"\{?\\[a-zA-Z]{1,2}\s?(?:\{\})?\}?")  # as {\o} in LaTeX
    elif bare.isascii():
        # LaTeX writes such a letter as {\"o}.
        listed.append(rf"\{{?\\[^A-Za-z0-9\s]?[a-zA-Z]?\s?\{{?\\?{bare}\}}?\}}?")
    return f"(?:{'|'.join(listed)})"
