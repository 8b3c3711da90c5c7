"""The settings of Snakemake's scheduler, as real records of Snakemake."""

from caduceus.system.snakemake_scheduling import lighten_scheduling
from snakemake.cli import get_argument_parser
from snakemake.settings.types import SchedulingSettings


def chosen(*words: str) -> SchedulingSettings:
    """What Snakemake makes of its arguments."""
    arguments = get_argument_parser().parse_args([*words])
    return SchedulingSettings(
        subsample=arguments.scheduler_subsample,
        max_jobs_per_timespan=arguments.max_jobs_per_timespan,
    )


def test_the_default_limit_of_starts_goes_and_a_sample_is_weighed() -> None:
    settings = chosen()
    lighten_scheduling(settings, 2)
    assert settings.max_jobs_per_timespan is None
    assert settings.subsample == 32


def test_the_sample_fills_every_slot() -> None:
    settings = chosen()
    lighten_scheduling(settings, 500)
    assert settings.subsample is not None
    assert settings.subsample >= 500


def test_what_the_user_chose_stays() -> None:
    settings = chosen("--max-jobs-per-timespan", "5/1m", "--scheduler-subsample", "7")
    lighten_scheduling(settings, 2)
    assert settings.max_jobs_per_timespan is not None
    assert settings.max_jobs_per_timespan.max_jobs == 5
    assert settings.subsample == 7


def test_a_second_call_changes_nothing() -> None:
    """Every input function of the workflow calls it."""
    settings = chosen()
    lighten_scheduling(settings, 2)
    before = vars(settings).copy()
    lighten_scheduling(settings, 2)
    assert vars(settings) == before
