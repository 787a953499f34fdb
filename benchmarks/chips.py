"""GPUs to compile for without having one, as their vendor describes them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHIPS", "Chip"]


class Chip(NamedTuple):
    """A GPU as its vendor describes it.

    Attributes:
        kind: name of the device.
        bandwidth: bytes/s that a copy reaches, read and written.
        cores, clock: multiprocessors, and cycles/s of their four schedulers.
        config: what the compiler is told, in the text form of its GpuTargetConfigProto.
    """

    kind: str
    bandwidth: float
    cores: int
    clock: float
    config: str


def hopper(kind: str, bandwidth: float, peak: int, memory: int) -> Chip:
    cores, clock = 132, 1.98
    config = f"""
    gpu_device_info {{
      name: "{kind}" cuda_compute_capability {{ major: 9 feature_extension: ACCELERATED_FEATURES }}
      core_count: {cores} fpus_per_core: 128 clock_rate_ghz: {clock}
      memory_bandwidth: {peak} device_memory_size: {memory} l2_cache_size: 52428800
      threads_per_warp: 32 threads_per_block_limit: 1024 threads_per_core_limit: 2048
      registers_per_core_limit: 65536 registers_per_block_limit: 65536
      shared_memory_per_block: 49152 shared_memory_per_block_optin: 232448 shared_memory_per_core: 233472
      block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
      driver_version: "13.0.0" runtime_version: "13.0.0" compile_time_toolkit_version: "13.0.0" dnn_version: "9.10.0"
    }}
    platform_name: "CUDA" dnn_version_info {{ major: 9 minor: 10 }} device_description_str: "{kind}"
    """
    return Chip(kind, bandwidth, cores, 1e9 * clock, config)


CHIPS = {
    "h200": hopper("NVIDIA H200", 4.3e12, 4800000000000, 150754820096),
    "h100": hopper("NVIDIA H100", 3.0e12, 3350000000000, 85520809984),
}
