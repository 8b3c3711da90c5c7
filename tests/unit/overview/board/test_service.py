"""The board's reader, beside the requests that it answers."""

import asyncio

import pytest
from caduceus.overview.board.access import Access
from caduceus.overview.board.board import Board
from caduceus.overview.board.service import Service
from growing_runs import Results

LONG_S = 60.0  # a stop that waits for itself never ends


@pytest.mark.parametrize("ticks", range(4))
def test_a_board_that_is_just_asked_something_ends(results: Results, ticks: int) -> None:
    async def end() -> None:
        service = Service(Board(results.path), Access())
        service.start()
        while await service.ask(lambda board: board.watch.is_reading):
            pass
        for _ in range(3):  # until it waits for the next request
            await service.ask(lambda board: None)
        service.wake()
        for _ in range(ticks):
            await asyncio.sleep(0)
        _, pending = await asyncio.wait({asyncio.ensure_future(service.stop())}, timeout=LONG_S)
        assert not pending

    asyncio.run(end())
