"""Add pages to the site that aren't in docs/: the repository's own pages, and generated ones.

Every page keeps its path in the repository (pages in docs/ without `docs/`). Links are written for
the repository, so that they work there too, except for links to generated pages (messages and
reference); this module turns them into links of the site. If a page links to a file that isn't a
page, such as a program, the site gets a page that shows the file.
"""

import os
import posixpath
import re
from pathlib import Path

from messages import messages_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from reference import commands_page, schema_page
from release_notes import version_of
from versions import released_sites, unpack_sites, versions_page

ROOT = Path(__file__).parents[1]
OWN_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    "experiments/README.md",
    "results/README.md",
    "workflow/ONLINE.md",
    "workflow/SLURM.md",
    "workflow/STATISTICS.md",
    "workflow/SWEEPS.md",
)
SCHEMAS = ("config", "experiment", "paper", "sweep", "tries")
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[#)])")
_FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".smk": "python"}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that aren't in docs/."""
    generated = {name: (ROOT / name).read_text() for name in OWN_PAGES}
    generated["messages.md"] = messages_page(ROOT)
    generated["reference/commands.md"] = commands_page()
    version = version_of((ROOT / "scripts/caduceus/__init__.py").read_text())
    generated["versions.md"] = versions_page(version, _released())
    for name in SCHEMAS:
        generated[f"reference/{name}.md"] = schema_page(ROOT, name)
    written = {file.src_uri: file.content_string for file in files.documentation_pages()}
    pages = written | generated
    for name, text in pages.items():
        for target in linked_files(name, text):
            if _site_path(target) not in pages and not target.startswith("docs/"):
                generated[_shown_as(target)] = _file_page(target)
    for name, text in generated.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page from paths in the repository into paths on the site."""
    here = page.file.src_uri

    def turned(match: re.Match[str]) -> str:
        target = _repository_target(here, match[1])
        if target is None:
            return match[1]
        site = _site_path(target)
        place = site if files.get_file_from_path(site) else _shown_as(target)
        return posixpath.relpath(place, posixpath.dirname(here))

    parts = _FENCE.split(markdown)
    parts[::2] = [_LINK.sub(turned, part) for part in parts[::2]]
    return "".join(parts)


def on_nav(nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
    """Write llms.txt, which lists the pages for language models, as llmstxt.org describes it."""
    files.append(File.generated(config, "llms.txt", content=llms_text(nav, config)))
    return nav


def on_post_build(*, config: MkDocsConfig) -> None:
    """Put the sites of releases below this one."""
    unpack_sites(_released(), Path(config.site_dir))


def _released() -> dict[str, Path]:
    folder = os.environ.get("RELEASED_DOCS")
    return released_sites(Path(folder)) if folder else {}


def llms_text(nav: Navigation, config: MkDocsConfig) -> str:
    """Return llms.txt: each page of the navigation with its address and its first sentence."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}"]
    for section in nav.items:
        lines += ["", f"## {section.title}", ""]
        for page in section.children or ():
            if isinstance(page, Page):
                about = _first_sentence(page.file.content_string)
                lines.append(f"- [{page.title}]({page.file.url}){about and ': '}{about}")
    return "\n".join(lines) + "\n"


def _first_sentence(text: str) -> str:
    """Return the first sentence of a page as plain text; empty if it starts with a table."""
    for block in _FENCE.sub("", text).split("\n\n"):
        first = block.strip().splitlines()[0] if block.strip() else ""
        if first and not first.startswith(("#", "|", "<", "!", "-", "[!", "*p")):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", first)
            return re.split(r"(?<=[.:]) ", re.sub(r"[`*]|:$", "", plain))[0]
    return ""


def linked_files(page: str, text: str) -> list[str]:
    """Return the files that a page links to, by their paths in the repository."""
    prose = "".join(_FENCE.split(text)[::2])
    targets = [_repository_target(page, link) for link in _LINK.findall(prose)]
    return [target for target in targets if target and (ROOT / target).is_file()]


def _repository_target(page: str, link: str) -> str | None:
    """Return the path in the repository that a link leads to; None if it leads out."""
    if "://" in link or link.startswith(("mailto:", "/")):
        return None
    base = page if page in OWN_PAGES else posixpath.join("docs", page)
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), link))


def _site_path(target: str) -> str:
    return target.removeprefix("docs/")


def _shown_as(target: str) -> str:
    return f"files/{target}.md"


def _file_page(target: str) -> str:
    text = (ROOT / target).read_text()
    fence = "`" * 4
    language = _LANGUAGES.get(Path(target).suffix, "text")
    return f"# {target}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
