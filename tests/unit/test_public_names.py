"""Names that users' programs, notebooks and Snakefiles import, for good.

A training program's imports are part of its code: one that has to change trains all its runs again.
"""

import importlib

import pytest
from projects import REPOSITORY

LINES = (
    "from caduceus import tracking",
    "from caduceus.data_order import batches",
    "from caduceus.analysis import load_history, load_runs, load_sweep",
    "from caduceus import SNAKEFILE, note_holder",
    "from caduceus import SNAKEFILE, check_config, note_holder",
    "from caduceus.locks import note_holder",
)
NAMES = {
    "tracking": "DivergedError TrackedRun dataset_path output_folder start",
    "analysis": "load_history load_runs load_sweep load_table",
    "statistics": """
        Comparison Equivalence Estimate Outcome Profile RankComparison Test Trend Verdict
        bayesian_signed_rank compare_by_seed compare_ranks compare_with_control compare_paired
        ItemComparison compare_items compare_seeds_and_items mcnemar
        compare_ratio compare_to_value compare_unpaired decide equivalence equivalence_by_seed
        equivalence_to_published PublishedMean compare_to_published
        estimate estimate_mean estimate_over_tasks greater holm improvement_over_tasks less
        minimum_p outlier_limit performance_profile ratio_equivalence runs_needed runs_to_decide
        trend within
    """,
    "wandb_log": """
        Artifact ArtifactFile Damage Held LogError LogWriter Output Part Row RowWatch RunHeader
        Segment StatsSample find_logs follow follow_stitched gaps goes_on_at group_by_run has_ended
        has_rows is_empty iter_rows iter_run kept_rows read_head read_log stitch write_stitched
    """,
    "errors": """
        AccountError CaduceusError DatasetError ProgramError ResourceError ResultError ServerError
        SchedulerError SlurmError SpecError
    """,
}


@pytest.mark.parametrize("line", LINES)
def test_lines_of_users_import_what_they_name(line: str) -> None:
    exec(line, {})


@pytest.mark.parametrize("module", NAMES)
def test_a_public_module_has_its_names(module: str) -> None:
    found = importlib.import_module(f"caduceus.{module}")
    assert all(hasattr(found, name) for name in NAMES[module].split())
    assert set(getattr(found, "__all__", [])) <= set(NAMES[module].split())


def test_the_shipped_programs_and_the_documents_import_nothing_else() -> None:
    folders = {"experiments": "*.py", "scripts/caduceus/project/template": "*.py", "docs": "*.md"}
    lines = {
        line.strip()
        for folder, names in folders.items()
        for path in (REPOSITORY / folder).rglob(names)
        for line in path.read_text().splitlines()
        if line.lstrip().startswith(("from caduceus", "import caduceus"))
    }
    assert lines and lines <= set(LINES)
