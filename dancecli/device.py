"""Which processor the networks run on: the one place that asks torch about devices."""

from __future__ import annotations

from dancecli.errors import UsageError

CHOICES = ("auto", "cpu", "cuda", "mps")


def available() -> list[str]:
    """Device names that work here, best first: "cuda:0", ..., "mps", "cpu"."""
    import torch

    names = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def several(names: str | None) -> tuple[str, ...]:
    """The devices of --devices: "0,1" are CUDA's by number; none is an empty tuple."""
    each = [name.strip() for name in (names or "").split(",") if name.strip()]
    return tuple(f"cuda:{name}" if name.isdecimal() else name for name in each)


def resolve(name: str) -> str:
    """A device torch can use: "auto" is the best there is, others are checked.

    Raises UsageError naming the devices of this machine.
    """
    if name == "cpu":
        return "cpu"
    devices = available()
    if name == "auto":
        return devices[0]
    if name == "cuda" and devices[0].startswith("cuda"):
        return "cuda:0"
    if name in devices:
        return name
    raise UsageError(f"--device {name}: not on this machine; available: {', '.join(devices)}")


def has_bfloat16(device: str) -> bool:
    """Whether a device, as torch names it, computes in bfloat16 faster than in float32.

    Processors without the instructions emulate it, several times slower; ARM's were not measured.
    """
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
