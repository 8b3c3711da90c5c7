"""Take runs that were trained elsewhere, as on another cluster: those that are planned here.

    caduceus merge /mnt/other/project/results --dry-run
    caduceus merge /mnt/other/project/results

Times, attempts and their cost come with them, and nothing is trained or exported anew. A run that
has two different exports is refused by name; the other folder is only read.
"""

import argparse
import sys
from pathlib import Path

from caduceus.commands import PARTIAL, add_json
from caduceus.io.answers import answer_text
from caduceus.io.names import is_safe_name, quoted
from caduceus.io.phrases import printable
from caduceus.io.yaml_files import load
from caduceus.overview.merging.lines import merged_lines
from caduceus.overview.merging.merge import Choice, merge
from caduceus.project.project import load_project
from caduceus.project.snakefile import chosen_config, chosen_results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("other", type=Path, help="the other results/, or its project's folder")
    parser.add_argument("-n", "--dry-run", action="store_true", help="take nothing; say what would")
    parser.add_argument("--abandoned", action="store_true", help="also what nothing plans here")
    parser.add_argument("--unfinished", action="store_true", help="also what hasn't ended there")
    parser.add_argument("--results", type=chosen_results, default="", help="(results)")
    parser.add_argument("--config", type=chosen_config, default="", help="(of the Snakefile)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    def say(line: str) -> None:
        print(f"caduceus merge: {printable(line)}", file=sys.stderr)

    project = load_project(load(arguments.config).value, [str(arguments.config)])
    choice = Choice(arguments.abandoned, arguments.unfinished, arguments.dry_run)
    merged = merge(project, arguments.results, arguments.other, choice, say)
    for each in merged.refused:
        say(f"{each.name if is_safe_name(each.name) else quoted(each.name)}: {each.reason}")
    if arguments.json:
        print(answer_text({**vars(merged), "is_dry_run": choice.is_dry}))
    else:
        print(*map(printable, merged_lines(merged, choice.is_dry)), sep="\n")
    return PARTIAL if merged.refused else 0
