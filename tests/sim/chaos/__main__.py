"""Lives the life of a seed once more, and reduces its schedule to a small one if something breaks in it."""

from __future__ import annotations

import logging
import sys

import click
import structlog
from tests.support.chaos.campaign import lived
from tests.support.chaos.reducing import MOST_LIVES


@click.command()
@click.argument("seed", type=int)
@click.option("--hours", type=float, default=24.0, show_default=True, help="Of virtual time.")
@click.option("--lives", type=int, default=MOST_LIVES, show_default=True, help="That a reduction may take; 0: none.")
def main(seed: int, hours: float, lives: int) -> None:
    """Live the life of SEED once more; reduce its schedule to a test if something breaks."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        told = lived(seed, hours, lives)
    except AssertionError as error:
        click.echo(str(error))
        sys.exit(1)
    click.echo(f"{told.lasted_s / 3600:.1f} hours, {told.events} events, {told.written} writes kept: {told.digest}")


main()
