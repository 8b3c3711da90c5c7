"""A mock of NVML, the one part that most machines that run the tests can't have.

The tests marked `gpu` ask the real one.
"""

from types import SimpleNamespace
from typing import Any


class FakeNvml:
    """Three GPUs, of which the last has a MIG part, under NVML's own names of functions.

    `energy_mj` is what each of them has used so far.
    """

    class NVMLError(Exception):
        pass

    uuids = ("GPU-aa11", "GPU-bb22", "GPU-cc33")

    def __init__(self, is_there: bool = True, used: tuple[int, ...] = (2_000_000_000,) * 3):
        self.is_there = is_there
        self.used = used
        self.energy_mj = 5_000_000

    def nvmlInit(self) -> None:  # noqa: N802  # NVML's own name, as below
        if not self.is_there:
            raise self.NVMLError

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid != "MIG-dd44":
            raise self.NVMLError
        return uuid

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return self.uuids[handle]

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "570.10"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:  # noqa: N802
        return 12_080

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        if handle == 1:
            raise self.NVMLError
        return SimpleNamespace(gpu=10 * handle)

    def nvmlDeviceGetMemoryInfo(self, handle: int | str) -> Any:  # noqa: N802
        if isinstance(handle, str):
            return SimpleNamespace(used=0, total=10_000_000_000)
        return SimpleNamespace(used=self.used[handle], total=80_000_000_000)

    def nvmlDeviceGetName(self, handle: int | str) -> str:  # noqa: N802
        return "NVIDIA H100" if isinstance(handle, int) else "NVIDIA H100 MIG 1g.10gb"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int | str) -> int:  # noqa: N802
        if isinstance(handle, str):
            raise self.NVMLError
        return self.energy_mj
